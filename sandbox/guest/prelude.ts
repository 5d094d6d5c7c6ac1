/**
 * The prelude: evaluated in each fresh engine before a function's module. It keeps what it uses of the language in
 * constants, so that a function that changes the built-ins changes them for itself alone.
 */
import { LAZY_SOURCE } from './lazy.ts'
import { RUN_SOURCE } from './run.ts'
import { VALUES_SOURCE } from './values.ts'
import { WEB_APIS_SOURCE } from './web-apis.ts'

const PRIMORDIALS_SOURCE = `
'use strict'
const { Uint8Array, BigInt, Promise, Error, TypeError, RangeError, RegExp, DataView, String } = globalThis
const { parse, stringify } = JSON
const { keys, getPrototypeOf, setPrototypeOf, defineProperty, freeze, getOwnPropertyDescriptor, getOwnPropertyNames } = Object
const { isArray, prototype: ArrayPrototype } = Array
const { prototype: ObjectPrototype } = Object
const { toStringTag } = Symbol
const { isError } = Error
const { fromCodePoint } = String
// f.call as a function of its own: uncurry(f)(x, y) is x.f(y), whatever becomes of Function.prototype.
const uncurry = Function.prototype.bind.bind(Function.prototype.call)
const { codePointAt: codePointAt_, charCodeAt: charCodeAt_, slice: slice_, isWellFormed: isWellFormed_, toWellFormed: toWellFormed_, indexOf: indexOf_ } = String.prototype
const codePointAt = uncurry(codePointAt_)
const charCodeAt = uncurry(charCodeAt_)
const slice = uncurry(slice_)
const isWellFormed = uncurry(isWellFormed_)
const toWellFormed = uncurry(toWellFormed_)
const indexOf = uncurry(indexOf_)
const exec = uncurry(RegExp.prototype.exec)
const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype)
const getterOf = (prototype, name) => uncurry(getOwnPropertyDescriptor(prototype, name).get)
const typedArrayTag = getterOf(TypedArrayPrototype, Symbol.toStringTag)
const typedArrayBuffer = getterOf(TypedArrayPrototype, 'buffer')
const typedArrayByteLength = getterOf(TypedArrayPrototype, 'byteLength')
const typedArrayByteOffset = getterOf(TypedArrayPrototype, 'byteOffset')
const arrayBufferByteLength = getterOf(ArrayBuffer.prototype, 'byteLength')
const subarray = (bytes, from) => new Uint8Array(typedArrayBuffer(bytes), typedArrayByteOffset(bytes) + from, typedArrayByteLength(bytes) - from)
const replace = uncurry(String.prototype.replace)
`

/** A script whose value is `(hostLog, hostRequest, hostBuffer, hostFail, hostDone, hostGroup) => { load, fail, run, settle, use }`. */
export const PRELUDE = `(function (hostLog, hostRequest, hostBuffer, hostFail, hostDone, hostGroup) {
${PRIMORDIALS_SOURCE}${VALUES_SOURCE}${WEB_APIS_SOURCE}${LAZY_SOURCE}${RUN_SOURCE}
})`
