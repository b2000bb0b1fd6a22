// Makes lib/native/codes.ts of the headers in native/abi/; with --check only says whether it is up to date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const target = new URL('lib/native/codes.ts', root);

/** kMaxBits → MAX_BITS, SampleStatistic → SAMPLE_STATISTIC */
const constantName = (name) =>
  name
    .replace(/^k(?=[A-Z])/, '')
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toUpperCase();
const memberName = (name) => name.replace(/^k([A-Z])/, (_, first) => first.toLowerCase());
const forCppAlone = (name) => name === 'last' || /count$/i.test(name);

/** The declarations of a header in their order, as lines of TypeScript. */
function declarations(header) {
  const text = header.replace(/\/\/[^\n]*/g, '');
  const pattern = /enum (?:class )?(\w+)(?: : \w+)? \{([^}]*)\};|inline constexpr \w+ (\w+) = (-?\d+);/g;
  return [...text.matchAll(pattern)].map(([, type, body, constant, value]) => {
    if (constant) return `export const ${constantName(constant)} = ${value};`;
    const names = body.split(',').map((item) => item.trim());
    const members = names
      .map((name, code) => ({ name, code }))
      .filter(({ name }) => name && !forCppAlone(name.split(' ')[0]));
    if (members.some(({ name }) => !/^\w+$/.test(name))) throw new Error(`abi: ${type}: expected plain enumerators`);
    const list = members.map(({ name, code }) => `  ${memberName(name)}: ${code},`);
    return `export const ${constantName(type)} = {\n${list.join('\n')}\n} as const;`;
  });
}

const folder = new URL('native/abi/', root);
const headers = readdirSync(folder)
  .filter((file) => file.endsWith('.h'))
  .sort();
const parts = headers.map(
  (file) => `// native/abi/${file}\n${declarations(readFileSync(new URL(file, folder), 'utf8')).join('\n')}`,
);
const head =
  '// The numbers that C++ and TypeScript exchange. Made of native/abi/ by scripts/abi.mjs: change them there.\n';
const module = `${head}\n${parts.join('\n\n')}\n`;
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== module) {
    console.error(
      'abi: expected lib/native/codes.ts as native/abi/ has it, received another: run `node scripts/abi.mjs`',
    );
    process.exit(1);
  }
} else writeFileSync(target, module);
