// The parts of ECharts that the page draws with; `build.mjs` bundles them.
import { BarChart, GaugeChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([
  AriaComponent, BarChart, CanvasRenderer, GaugeChart, GridComponent, LegendComponent, LineChart, PieChart,
  TooltipComponent,
]);

export { init };
