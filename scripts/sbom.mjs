// Makes sbom.json (CycloneDX 1.5) and NOTICE of package-lock.json and native/sources.json: what is installed with the
// package and what its addon is linked with. `npm pack` runs it. (npm sbom leaves out packages that both development and
// an optional dependency need, and knows no native library.)
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../', import.meta.url);
const read = (name) => JSON.parse(readFileSync(new URL(name, root), 'utf8'));
const at = (path) => path.replace(/^.*node_modules\//, '');

/** Where a package that is installed at `path` finds `name`, as Node looks for it. */
function resolved(packages, path, name) {
  for (let folder = path; ; folder = folder.replace(/(^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, '')) {
    const found = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[found]) return found;
    if (folder === '') return undefined;
  }
}

const idOf = (packages, path) => `${path === '' ? packages[''].name : at(path)}@${packages[path].version}`;

/** `A AND B` is an expression, `A` an identifier. */
const licences = (text) => [/ /.test(text) ? { expression: text } : { license: { id: text } }];

function packageComponent(packages, path) {
  const { version, license = 'NOASSERTION', optional, integrity } = packages[path];
  const [, algorithm, hash] = /^(sha\d+)-(.*)$/.exec(integrity ?? '') ?? [];
  const name = at(path);
  return {
    'bom-ref': idOf(packages, path),
    type: 'library',
    name,
    version,
    scope: optional ? 'optional' : 'required',
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    ...(hash
      ? { hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(hash, 'base64').toString('hex') }] }
      : {}),
    licenses: licences(license),
  };
}

function nativeComponent({ name, licence, url, use }) {
  const externalReferences = [{ type: 'website', url }];
  return { 'bom-ref': name, type: 'library', name, description: use, licenses: licences(licence), externalReferences };
}

/** The bill of materials of a lock file and the list of native sources. */
export function billOfMaterials(lock = read('package-lock.json'), sources = read('native/sources.json')) {
  const { packages } = lock;
  const paths = Object.keys(packages).filter((path) => path !== '' && !packages[path].dev);
  const natives = Object.values(sources.linked);
  const all = [...paths.map((path) => packageComponent(packages, path)), ...natives.map(nativeComponent)];
  const components = [...new Map(all.map((component) => [component['bom-ref'], component])).values()];
  const dependencies = ['', ...paths].map((path) => {
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    const names = Object.keys({ ...dependencies, ...optionalDependencies });
    const found = names.flatMap((name) => resolved(packages, path, name) ?? []).map((to) => idOf(packages, to));
    return {
      ref: idOf(packages, path),
      dependsOn: [...found, ...(path === '' ? natives.map(({ name }) => name) : [])],
    };
  });
  const { name, version, license } = packages[''];
  const component = { 'bom-ref': `${name}@${version}`, type: 'library', name, version, licenses: licences(license) };
  return { bomFormat: 'CycloneDX', specVersion: '1.5', version: 1, metadata: { component }, components, dependencies };
}

const licenceOf = ({ licenses: [one] }) => one.expression ?? one.license.id;

/** Name, version, licence and use of every component. */
export function notice({ components, metadata }) {
  const lines = components.map((one) => {
    const use =
      one.description ?? (one.scope === 'optional' ? 'installed where it can be' : 'installed with the package');
    return `${one.name}${one.version ? ` ${one.version}` : ''}: ${licenceOf(one)}; ${use}`;
  });
  return `${metadata.component.name}, ${licenceOf(metadata.component)}\n
None of the following is part of this package; it is installed or linked with it, under its licence.\n
${lines.join('\n')}\n`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const bill = billOfMaterials();
  writeFileSync(new URL('sbom.json', root), `${JSON.stringify(bill, null, 1)}\n`);
  writeFileSync(new URL('NOTICE', root), notice(bill));
}
