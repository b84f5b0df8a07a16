from cqrs_local.emulation import Emulation


def test_each_names_the_version_whose_answers_were_recorded() -> None:
    """What a client reads in the configuration of the server."""
    assert {emulation: emulation.version for emulation in Emulation} == {
        "0.16": "v0.16.3",
        "newest": "v0.92.2",
    }
