/** For tests: the same code in the guest and in Node, which has the same interfaces. */
import { expect } from 'vitest'
import { bases, bytesOf, limits, outcomeOf, runOf, valueIn, wasm } from './fixture.ts'
import { createSandbox } from './sandbox.ts'

type Async = (input: string) => Promise<string>
const AsyncFunction = (async () => {}).constructor as new (...source: string[]) => Async

/** Values cross as JSON text, which can hold any string. */
const wrapped = (body: string): string => `
  const x = JSON.parse(input)
  const bytes = (b) => Array.from(new Uint8Array(b.buffer ?? b, b.byteOffset ?? 0, b.byteLength))
  const attempt = async (f) => { try { return await f() } catch (e) { return 'threw ' + (e && e.name) } }
  return JSON.stringify(await attempt(async () => { ${body} })) ?? 'nothing'`

/** `body`, of an async function of x that returns what JSON can say, in the guest. `bytes` and `attempt` are at hand. */
export const inGuest = (body: string): ((x: unknown) => unknown) => {
  const sandbox = createSandbox({ wasm, bases })
  sandbox.load('f', bytesOf(`export default async (input) => {${wrapped(body)}}`), limits.memory_bytes)
  return (x) => valueIn(outcomeOf(sandbox.run('f', runOf(JSON.stringify(x))).result))
}

/** Runs `body` there and here with each input: it must return the same. */
export const expectSame = async (body: string, inputs: readonly unknown[] = [null]): Promise<void> => {
  const guest = inGuest(body)
  const node = new AsyncFunction('input', wrapped(body))
  const [found, wanted]: [string[], string[]] = [[], []]
  for (const x of inputs) {
    const shown = `${JSON.stringify(x)} gives `
    found.push(shown + guest(x))
    wanted.push(shown + (await node(JSON.stringify(x))))
  }
  expect(found).toEqual(wanted)
}
