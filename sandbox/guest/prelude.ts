/**
 * The prelude: evaluated in each fresh engine before a function's module. It keeps what it uses of the language in
 * constants, so that a function that changes the built-ins changes them for itself alone.
 */
import { LAZY_SOURCE } from './lazy.ts'
import { ENTRIES_SOURCE, RUN_SOURCE } from './run.ts'
import { VALUES_SOURCE } from './values.ts'

const PRIMORDIALS_SOURCE = `
'use strict'
const globals = globalThis
const { Uint8Array, BigInt, Promise, Error, TypeError, RegExp } = globals
const { parse, stringify } = JSON
const { keys, getPrototypeOf, setPrototypeOf, defineProperty, freeze, getOwnPropertyDescriptor, getOwnPropertyNames } = Object
const { isArray, prototype: ArrayPrototype } = Array
const { prototype: ObjectPrototype } = Object
const { toStringTag } = Symbol
const { isError } = Error
// f.call as a function of its own: uncurry(f)(x, y) is x.f(y), whatever becomes of Function.prototype.
const uncurry = Function.prototype.bind.bind(Function.prototype.call)
const slice = uncurry(String.prototype.slice)
const isWellFormed = uncurry(String.prototype.isWellFormed)
const exec = uncurry(RegExp.prototype.exec)
const TypedArrayPrototype = getPrototypeOf(Uint8Array.prototype)
const getterOf = (prototype, name) => uncurry(getOwnPropertyDescriptor(prototype, name).get)
const typedArrayTag = getterOf(TypedArrayPrototype, Symbol.toStringTag)
const typedArrayBuffer = getterOf(TypedArrayPrototype, 'buffer')
const typedArrayByteLength = getterOf(TypedArrayPrototype, 'byteLength')
const arrayBufferByteLength = getterOf(ArrayBuffer.prototype, 'byteLength')
`

/** A script whose value is `(hostLog, …) => { load, fail, run, settle, turn, use }`, called with the functions of host-calls.ts. */
export const PRELUDE_SOURCE = `(function (hostLog, hostRequest, hostBuffer, hostFail, hostDone, hostGroup, hostTurn, hostModule, hostModuleCall, hostModuleRead, hostModuleWrite) {
${PRIMORDIALS_SOURCE}${VALUES_SOURCE}${RUN_SOURCE}${LAZY_SOURCE}${ENTRIES_SOURCE}
})`
