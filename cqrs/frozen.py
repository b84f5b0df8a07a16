"""Whether the instances of a message class can be changed after they were made."""

from typing import Final, cast

import attrs

_DATACLASS: Final = "__dataclass_params__"
_MSGSPEC: Final = "__struct_config__"
_PYDANTIC: Final = "model_config"


def is_frozen(cls: type) -> bool:
    """Tell whether a class keeps its instances from being changed; a class without fields has nothing to change.

    Args:
        cls: an attrs class, a dataclass, a msgspec ``Struct``, a pydantic model or any other class.
    """
    decorated = next((base for base in cls.__mro__ if "__attrs_attrs__" in vars(base)), None)
    if decorated is not None:
        return attrs.inspect(decorated).is_frozen
    for owner, flag in ((_DATACLASS, "frozen"), (_MSGSPEC, "frozen")):
        options: object = getattr(cls, owner, None)
        if options is not None:
            return bool(getattr(options, flag, False))
    configuration: object = getattr(cls, _PYDANTIC, None)
    if isinstance(configuration, dict):
        return bool(cast("dict[str, object]", configuration).get("frozen", False))
    bases = [vars(base) for base in cls.__mro__[:-1]]
    fields = any(base.get("__annotations__") or "__init__" in base for base in bases)
    return not fields or any("__setattr__" in base for base in bases)
