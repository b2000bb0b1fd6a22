// ONNX models drawn at random: a few nodes of any supported operators, attributes as exporters write them, in the forms of
// any operator set from 7 on.
import { Drawing, type RandomModel } from './random_drawing.js';
import { ELEMENTS } from './random_elements.js';
import { PRODUCTS } from './random_products.js';

const KINDS = [...ELEMENTS, ...PRODUCTS];

/** The names of everything that is drawn. */
export const DRAWN: readonly string[] = KINDS.map(([name]) => name);

/** A model of a few nodes. `kind`: the first is of this kind. Throws what the importer throws, `model` beside it. */
export function randomModel(
  seed: number,
  kind?: string,
): RandomModel | { readonly refused: Error; readonly bytes: Uint8Array; readonly drawing: Drawing } {
  const chosen = kind === undefined ? undefined : KINDS.find(([name]) => name === kind);
  const drawing = new Drawing(seed);
  const possible = KINDS.filter(([, , since]) => since <= drawing.opset);
  try {
    const length = drawing.integer(1, 4);
    for (let i = 0; i < length; i++) {
      const [, draw] = i === 0 && chosen && chosen[2] <= drawing.opset ? chosen : drawing.choice(possible);
      draw(drawing);
    }
  } catch (error) {
    return { refused: error as Error, bytes: drawing.unfinished(), drawing };
  }
  return drawing.finish();
}
