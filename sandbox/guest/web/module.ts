/**
 * The WebAssembly modules that a function was bundled with. `waysideModule(n)`, which the bundler writes, is an object of
 * the exports of module `n`, with its memory as bytes to be read and written.
 */
import {
  hostModule,
  hostModuleCall,
  hostModuleRead,
  hostModuleWrite,
  typedArrayBuffer,
  typedArrayTag,
} from './prelude-exports.ts'

const { defineProperty, freeze, setPrototypeOf } = Object
const { parse } = JSON
const { apply } = Reflect
const { asIntN } = BigInt
const slice = Function.prototype.call.bind(String.prototype.slice) as (text: string, from: number) => string

/** What the host answers with: a number, nothing, or a text that says what it is by its first character. */
const answerOf = (answer: unknown): unknown => {
  if (typeof answer !== 'string') return answer
  if (answer[0] === 'n') return BigInt(slice(answer, 1))
  throw new Error(slice(answer, 1))
}

const callModule = (index: string, at: number, params: readonly string[], args: readonly unknown[]): unknown => {
  const sent: unknown[] = setPrototypeOf([index, at], null)
  for (let i = 0; i < params.length; i++)
    // biome-ignore lint/style/useTemplate: the engine makes a template by String.prototype.concat, which the function may change
    sent[i + 2] = params[i] === 'i64' ? '' + asIntN(64, BigInt(args[i] as bigint)) : +(args[i] as number)
  return answerOf(apply(hostModuleCall, undefined, sent))
}

export const waysideModule = (index: string): object => {
  const module = { __proto__: null }
  const listed = parse(hostModule(index)) as [string, string[]][]
  for (let i = 0; i < listed.length; i++) {
    const [name, params] = listed[i] as [string, string[]]
    const value = (...args: unknown[]) => callModule(index, i, params, args)
    defineProperty(module, name, { value, enumerable: true })
  }
  const memory = {
    // A copy of the bytes there.
    read: (at: unknown, length: unknown) =>
      new Uint8Array(answerOf(hostModuleRead(index, +(at as number), +(length as number))) as ArrayBuffer),
    write: (at: unknown, bytes: unknown) => {
      if (typedArrayTag(bytes) !== 'Uint8Array') throw new TypeError('memory.write: expected a Uint8Array')
      answerOf(hostModuleWrite(index, +(at as number), typedArrayBuffer(new Uint8Array(bytes as Uint8Array))))
    },
  }
  defineProperty(module, 'memory', { value: freeze(memory), enumerable: true })
  return freeze(module)
}
