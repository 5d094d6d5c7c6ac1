/** Modules whose evaluation is what matters: state, top-level await, and the ways in which one cannot be loaded. */
const LOOP = 'let sum = 0; for (let i = 0; i < 30000; i++) sum += i % 7'

export const MODULES: Record<string, string> = {
  state: 'let n = 0; const seen = []; export default () => { seen.push(++n); return seen }',
  largeState: `${LOOP}; const table = Array.from({ length: 5000 }, (_, i) => ({ i, sum })); export default () => [++table[7].i, table.length, sum]`,
  closures: 'const fs = Array.from({ length: 10 }, (_, i) => () => i * i); export default () => fs.map((f) => f())',
  suspended:
    'const g = (function* () { let n = 0; for (;;) n += yield n })(); g.next(); g.next(3); export default () => [g.next(4).value, g.next(5).value]',
  pending:
    'let open; const gate = new Promise((r) => { open = r }); const after = gate.then((x) => x + 1); export default async () => { open(4); return after }',
  topLevelAwait: 'const x = await Promise.all([1, Promise.resolve(2)]); await null; export default () => x',
  topLevelAwaitOrder:
    'const seen = []; queueMicrotask(() => seen.push("m")); seen.push(await "a"); for await (const x of [1, 2]) seen.push(x); export default () => seen',
  topLevelForever: 'await new Promise(() => {}); export default () => 1',
  topLevelThrow: 'await null; throw new RangeError("at the top"); export default () => 1',
  throws: 'export default () => 1; throw new TypeError("while loading")',
  throwsText: 'throw "text"',
  drawn:
    'const drawn = [Math.random(), ...crypto.getRandomValues(new Uint8Array(4))]; export default () => [drawn, Math.random()]',
  printed: 'console.log("while loading", { a: 1 }); export default () => console.log("while running")',
  printedByLeftover: 'Promise.resolve().then(() => console.log("left over")); export default () => 1',
  clock: 'const t = Date.now(); export default () => Date.now() - t',
  syntaxError: 'export default () => {',
  syntaxErrorDeep: 'export default () => 1\nconst a = 1\nconst a = 2',
  unknownImport: 'import x from "y"; export default () => x',
  importedItself: 'import { a } from "function.js"; export const b = 1; export default () => a',
  noDefault: 'export const other = () => 1; export const more = () => 2; export const data = 3',
  defaultObject: 'export default { a: 1 }',
  defaultHandlers: 'export default { scheduled() {}, queue() {} }',
  defaultClass: 'export default class A { x = 1 }',
  liveBinding:
    'export let f = () => "before"; export default () => { f = () => "after"; return f() }; export { f as g }',
  cyclicFunctions:
    'export default () => even(10); function even(n) { return n === 0 ? true : odd(n - 1) } function odd(n) { return n === 0 ? false : even(n - 1) }',
  emptyModule: '',
  strict: 'export default () => { try { undeclared = 1 } catch (e) { return [e.name, this === undefined] } }',
  deepRecursionWhileLoading:
    'let depth = 0; const f = () => { depth++; f() }; try { f() } catch {} export default () => depth',
  overflowWhileLoading: 'const f = () => f(); f(); export default () => 1',
  memoryWhileLoading: 'const kept = []; for (;;) kept.push(new Uint8Array(1e6)); export default () => 1',
  memoryCaughtWhileLoading:
    'let kept = []; let n = 0; try { for (;;) { kept.push(new Uint8Array(1e6)); n++ } } catch {} kept = []; export default () => n',
  grownWhileLoading:
    'const kept = Array.from({ length: 12 }, () => new Uint8Array(1e6).fill(1)); export default () => kept.length',
  changedBuiltIns:
    'Array.prototype.push = () => "mine"; JSON.parse = null; Object.freeze(Object.prototype); export default (x) => [x, [].push(1)]',
  callsWhileLoading:
    'export default async (x, env, ctx) => [await ctx.call("#echo", 1), await Promise.race([ctx.call("#echo", 2), ctx.call("#echo", 3)])]',
  byteOrderMark: '\ufeffexport default () => "bom"',
  hashbang: '#!/usr/bin/env node\nexport default () => "hashbang"',
  unusualLines: 'export default () =>\u2028 "a"\r\n// x\u2029',
  unicodeNames: 'const größe = 1, 変数 = 2, \\u0061b = 3; export default () => [größe, 変数, ab]',
}
