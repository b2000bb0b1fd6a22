// Weights in units of their quantization cells: weight = v · u, u the width of the channel's codes at the beginning, and
// bias = β · 4u. An optimizer of Adam's kind then moves every weight by the same share of a code in a step, whatever the
// range of its layer: a quantized network is attacked through rounding, and rates in weights either do not reach
// the next code in one layer or skip many in another.
import type { Graph } from '../graph/graph.js';
import type { Parameters } from '../graph/parameters.js';
import type { Policy } from '../policy/policy.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import { alignedFloats } from '../tensor/memory.js';
import { weightCells } from './cells.js';
import type { Coordinates } from './coordinates.js';

/** A bias moves the sum of many products; four cells a unit were found to keep pace with the weights. */
const CELLS_PER_BIAS_UNIT = 4;
/** Constants without bits (added constants, norms) get the unit of eight bits: largest / 127. */
const OTHER_CELLS = 127;

/** Parameters, each divided by its unit. */
export class UnitCoordinates implements Coordinates {
  readonly values: Float32Array;
  readonly gradients: Float32Array;
  readonly learned: Coordinates['learned'];

  /** `units` are as long as the parameters' values, and positive where these lie. */
  constructor(
    protected readonly parameters: Parameters,
    protected readonly units: Float32Array,
  ) {
    const { length } = parameters.values;
    this.values = alignedFloats(length);
    this.gradients = alignedFloats(length);
    this.learned = parameters.learned.map(({ dims, offset, data }) => {
      return { dims, offset, data: this.values.subarray(offset, offset + data.length) };
    });
    for (let i = 0; i < length; i++) this.values[i] = (parameters.values[i] as number) / (units[i] as number);
  }

  gather(): void {
    const { gradients, parameters, units } = this;
    for (let i = 0; i < units.length; i++) gradients[i] = (parameters.gradients[i] as number) * (units[i] as number);
  }

  changed(): void {
    const { values, parameters, units } = this;
    for (let i = 0; i < units.length; i++) parameters.values[i] = (values[i] as number) * (units[i] as number);
    parameters.changed();
  }
}

/** The unit of every parameter of a graph under a policy, in the layout of `parameters`. */
export function cellUnitsOf(parameters: Parameters, graph: Graph, policy: Policy): Float32Array {
  const units = new Float32Array(parameters.values.length).fill(1);
  for (const { name, offset, data } of parameters.learned) {
    const initial = (graph.initializers.get(name) as HostTensor<'float32'>).data;
    const largest = initial.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    units.fill(largest > 0 ? largest / OTHER_CELLS : 1, offset, offset + data.length);
  }
  const slice = (name: string) => {
    const parameter = parameters.get(name);
    return parameter && units.subarray(parameter.offset, parameter.offset + parameter.data.length);
  };
  for (const { weight, bias, stride, widths } of weightCells(graph, policy)) {
    const unit = slice(weight);
    unit?.forEach((_, i) => {
      unit[i] = widths[Math.floor(i / stride) % widths.length] as number;
    });
    if (bias !== undefined) slice(bias)?.set(widths.map((width) => width * CELLS_PER_BIAS_UNIT));
  }
  return units;
}

/** For `distill`'s `coordinates`: cells of `student` (batch norms folded) under `policy`. */
export function cellUnits(student: Graph, policy: Policy): (parameters: Parameters) => Coordinates {
  return (parameters) => new UnitCoordinates(parameters, cellUnitsOf(parameters, student, policy));
}
