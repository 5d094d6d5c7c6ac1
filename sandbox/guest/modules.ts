/**
 * Guest code (part of the prelude): the WebAssembly modules that a function was bundled with. `waysideModule(n)`, which
 * the bundler writes, is an object of the exports of module `n`, with its memory as bytes to be read and written.
 */
export const MODULES_SOURCE = `
const { apply } = Reflect
const { asIntN } = BigInt

// What the host answers with: a number, nothing, or a text that says what it is by its first character.
const answerOf = (answer) => {
  if (typeof answer !== 'string') return answer
  if (answer[0] === 'n') return BigInt(slice(answer, 1))
  throw new Error(slice(answer, 1))
}

const callModule = (index, at, params, args) => {
  const sent = setPrototypeOf([index, at], null)
  for (let i = 0; i < params.length; i++) sent[i + 2] = params[i] === 'i64' ? '' + asIntN(64, BigInt(args[i])) : +args[i]
  return answerOf(apply(hostModuleCall, undefined, sent))
}

const openModule = (index) => {
  const module = { __proto__: null }
  const listed = parse(hostModule(index))
  for (let i = 0; i < listed.length; i++) {
    const params = listed[i][1]
    defineProperty(module, listed[i][0], { value: (...args) => callModule(index, i, params, args), enumerable: true })
  }
  const memory = {
    // A copy of the bytes there.
    read: (at, length) => new Uint8Array(answerOf(hostModuleRead(index, +at, +length))),
    write: (at, bytes) => {
      if (typedArrayTag(bytes) !== 'Uint8Array') throw new TypeError('memory.write: expected a Uint8Array')
      answerOf(hostModuleWrite(index, +at, typedArrayBuffer(new Uint8Array(bytes))))
    },
  }
  defineProperty(module, 'memory', { value: freeze(memory), enumerable: true })
  return freeze(module)
}

publish('waysideModule', openModule)
`
