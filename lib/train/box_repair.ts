// Box repair: after an attack, weights move inside their quantization cells alone, so that the quantized network stays
// equal to the last bit while full precision returns to the teacher. Biases and each channel's largest weight (which
// sets the scale) are held.
import type { Graph } from '../graph/graph.js';
import type { Parameters } from '../graph/parameters.js';
import type { Policy } from '../policy/policy.js';
import { cellUnitsOf, UnitCoordinates } from './cell_units.js';
import { weightCells } from './cells.js';
import type { Coordinates } from './coordinates.js';

/** How far from its code a weight may go, in codes: rounding in float32 never carries it over the half. */
const HALF_A_CELL = 0.495;

/** Options of a box repair. */
export interface BoxOptions {
  /** Nodes whose weights and biases are not held. Default none. */
  readonly free?: ReadonlySet<string> | undefined;
}

class BoxCoordinates extends UnitCoordinates {
  /** The numbers that may move, and how far; all others keep their bits. */
  private readonly places: Int32Array;
  private readonly low: Float32Array;
  private readonly high: Float32Array;

  constructor(parameters: Parameters, graph: Graph, policy: Policy, free: ReadonlySet<string>) {
    super(parameters, cellUnitsOf(parameters, graph, policy));
    const places: number[] = [];
    const low: number[] = [];
    const high: number[] = [];
    const add = (place: number, from: number, to: number) => {
      places.push(place);
      low.push(from);
      high.push(to);
    };
    for (const { node, weight, bias, data, stride, widths, codes, most } of weightCells(graph, policy)) {
      const offset = parameters.get(weight)?.offset as number;
      if (free.has(node)) {
        const biasAt = bias === undefined ? undefined : parameters.get(bias);
        for (let i = 0; i < data.length; i++) add(offset + i, -Infinity, Infinity);
        for (let i = 0; biasAt && i < widths.length; i++) add(biasAt.offset + i, -Infinity, Infinity);
        continue;
      }
      const largest = new Float32Array(widths.length);
      const channelOf = (i: number) => Math.floor(i / stride) % widths.length;
      data.forEach((value, i) => {
        largest[channelOf(i)] = Math.max(largest[channelOf(i)] as number, Math.abs(value));
      });
      data.forEach((value, i) => {
        const channel = channelOf(i);
        if (Math.abs(value) === largest[channel]) return;
        const code = codes[i] as number;
        // Beyond the outermost code the scale would grow.
        add(offset + i, Math.max(code - HALF_A_CELL, -most), Math.min(code + HALF_A_CELL, most));
      });
    }
    this.places = Int32Array.from(places);
    this.low = Float32Array.from(low);
    this.high = Float32Array.from(high);
  }

  override gather(): void {
    const { gradients, parameters, places, units } = this;
    gradients.fill(0);
    for (const place of places) gradients[place] = (parameters.gradients[place] as number) * (units[place] as number);
  }

  override changed(): void {
    const { values, parameters, places, units, low, high } = this;
    for (let i = 0; i < places.length; i++) {
      const place = places[i] as number;
      const value = Math.min(high[i] as number, Math.max(low[i] as number, values[place] as number));
      values[place] = value;
      parameters.values[place] = value * (units[place] as number);
    }
    parameters.changed();
  }
}

/**
 * For `distill`'s `coordinates`: the cells of `attacked` (batch norms folded) under `policy`, which every repaired
 * network shares with it to the last bit when quantized, except for the free nodes.
 */
export function boxRepair(
  attacked: Graph,
  policy: Policy,
  options: BoxOptions = {},
): (parameters: Parameters) => Coordinates {
  return (parameters) => new BoxCoordinates(parameters, attacked, policy, options.free ?? new Set());
}
