/** Functions that go wrong in every way, as files of a fresh directory. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshDirectory } from './wayside.ts'

const SOURCES = {
  'hello.ts':
    'export default (input: { name: string }) => { console.log("greeting", input.name); return { text: "Hello, " + input.name } }',
  'square.ts': 'export default (n: number) => n * n',
  'throws.ts': 'export default () => {\n  throw new TypeError("no luck")\n}',
  'broken.ts': 'export default (',
  'spins.ts': 'export default () => { for (;;); }',
  'eats.ts': 'export default () => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)) }',
  'date.ts': 'export default () => ({ items: [0, { when: new Date(0) }] })',
  'bytes.ts': 'export default (n: number) => new Uint8Array(n).fill(255)',
  'echo.ts': 'export default (input: unknown) => input',
  'odd.ts': 'export default (n: number) => { if (n % 2) throw new Error(n + " is odd"); return n }',
  'slow.ts':
    'export default (n: number) => { let x = n; for (let i = 0; i < 1e5; i++) x = (x * 31 + i) % 1000003; return x }',
} as const

/** The directory that holds them. */
export const writeFunctions = (): string => {
  const directory = join(freshDirectory(), 'functions')
  mkdirSync(directory)
  for (const [name, source] of Object.entries(SOURCES)) writeFileSync(join(directory, name), source)
  mkdirSync(join(directory, 'hungry'))
  writeFileSync(join(directory, 'hungry', 'wayside.json'), '{ "limits": { "memory": "1GiB" } }')
  writeFileSync(join(directory, 'hungry', 'hello.ts'), SOURCES['hello.ts'])
  return directory
}
