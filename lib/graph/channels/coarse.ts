// Scales that leave the weights of wide formats few codes: within each family of channels that the same nodes read, all
// are scaled by e^bound but one, by e^−bound. The row of a weight that reads them has the range of that one column, and
// the others the (e^2·bound)-th part of it: at eight bits and a bound of 2 no more than ±2 codes. The function is the
// same.
import type { HostTensor } from '../../tensor/host_tensor.js';
import type { Graph } from '../graph.js';
import type { ChannelGroups } from './groups.js';
import { visitGroups } from './rescale.js';

/** A column with a zero weight in some row stays a candidate. */
const LEAST_SHARE = 1e-3;

/** For each group the first group of its family: groups that some node reads together, directly or through others. */
function familiesOf({ groups, constants }: ChannelGroups): Int32Array {
  const first = Int32Array.from(groups, (_, group) => group);
  const find = (group: number): number => {
    let at = group;
    while (first[at] !== at) at = first[at] as number;
    return at;
  };
  for (const { read, shift } of constants) {
    if (!read || shift) continue;
    const [group, ...others] = [...new Set(read.groups)].filter((group) => group >= 0);
    for (const other of others) {
      const [a, b] = [find(group as number), find(other)];
      first[Math.max(a, b)] = Math.min(a, b);
    }
  }
  return first.map(find);
}

/** Mean over the rows that read a group of ln (largest weight of its column / largest of the row): near 0 fills rows. */
function columnShares(graph: Graph, { groups, constants }: ChannelGroups): Float64Array {
  const sums = new Float64Array(groups.length);
  const counts = new Float64Array(groups.length);
  for (const constant of constants) {
    const { dims, made, read, shift } = constant;
    if (!read || !made || shift) continue;
    const { data } = graph.initializers.get(constant.name) as HostTensor<'float32'>;
    const stride = dims.slice(made.axis + 1).reduce((size, dim) => size * dim, 1);
    const rowOf = (place: number) => Math.floor(place / stride) % (dims[made.axis] as number);
    const rows = new Float64Array(dims[made.axis] as number);
    data.forEach((value, place) => {
      rows[rowOf(place)] = Math.max(rows[rowOf(place)] as number, Math.abs(value));
    });
    visitGroups(constant, (start, end, _made, group) => {
      if (group < 0) return;
      let column = 0;
      for (let i = start; i < end; i++) column = Math.max(column, Math.abs(data[i] as number));
      const row = rows[rowOf(start)] as number;
      sums[group] = (sums[group] as number) + Math.log(Math.max(row > 0 ? column / row : 0, LEAST_SHARE));
      counts[group] = (counts[group] as number) + 1;
    });
  }
  return sums.map((sum, group) => sum / Math.max(counts[group] as number, 1));
}

/** One scale a group: e^bound, and e^−bound for the channel of each family whose weights fill the rows best. */
export function coarseScales(graph: Graph, groups: ChannelGroups, bound: number): Float64Array {
  const families = familiesOf(groups);
  const shares = columnShares(graph, groups);
  const loud = new Map<number, number>();
  families.forEach((family, group) => {
    const best = loud.get(family);
    if (best === undefined || (shares[group] as number) > (shares[best] as number)) loud.set(family, group);
  });
  const held = new Set(loud.values());
  return Float64Array.from(families, (_, group) => Math.exp(held.has(group) ? -bound : bound));
}
