/**
 * Guest code (part of the prelude): globals of the web that are evaluated when they are first used. The host evaluates
 * the source of a group, which is no part of the guest's memory until then.
 */
import { WEB_GROUPS } from './web.ts'

const NAMES_BY_GROUP = Object.entries(WEB_GROUPS)
  .filter(([, names]) => names.length > 0)
  .map(([group, names]) => `${group}:${names}`)
  .join(';')

export const LAZY_SOURCE = `
// What would make a run depend on the machine.
for (const name of ['WeakRef', 'FinalizationRegistry', 'SharedArrayBuffer']) delete globals[name]

const publish = (name, value) => {
  defineProperty(globals, name, { __proto__: null, value, writable: true, configurable: true, enumerable: false })
}

publish('self', globals)

// Beyond these the host drops what is printed anyway (CONSOLE_BYTES_MAX, CONSOLE_LINES_MAX).
const CONSOLE_CHARS_MAX = 65536
const CONSOLE_LINES_MAX = 1000

let printedChars = 0
let printedLines = 0

const print = (level, text) => {
  if (printedChars > CONSOLE_CHARS_MAX || printedLines > CONSOLE_LINES_MAX) return
  const kept = slice(text, 0, CONSOLE_CHARS_MAX)
  printedChars += kept.length
  printedLines++
  hostLog(level, stringify(kept))
}

const report = (error) => {
  const { message, stack } = describe(error)
  print('error', 'Uncaught ' + message + (stack && '\\n' + stack))
}

const groups = { __proto__: null }

const prototypes = setPrototypeOf([], null)

const isPlatform = (x) => {
  for (let of = getPrototypeOf(x); of !== null; of = getPrototypeOf(of))
    for (let i = 0; i < prototypes.length; i++) if (prototypes[i] === of) return true
  return false
}

const evaluated = (group) => groups[group]

const use = (group) => {
  if (groups[group] === undefined) {
    const made = hostGroup(group)(use)
    groups[group] = made
    const names = keys(made)
    for (let i = 0; i < names.length; i++) settleExport(names[i], made[names[i]])
  }
  return groups[group]
}

// As Web IDL has it: the members of a class can be enumerated, and its objects say what they are.
const dress = (holder) => {
  const names = getOwnPropertyNames(holder)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (name === 'constructor' || (typeof holder === 'function' && (name === 'prototype' || name === 'length' || name === 'name'))) continue
    const descriptor = getOwnPropertyDescriptor(holder, name)
    if (descriptor.configurable) defineProperty(holder, name, { __proto__: null, enumerable: true })
  }
}

// What a group has made gets its name; a global becomes an ordinary one, unless the function has put something else in its
// place.
const settleExport = (name, value) => {
  if (typeof value === 'function') {
    defineProperty(value, 'name', { __proto__: null, value: name, configurable: true })
    const { prototype } = value
    if (prototype !== undefined) {
      dress(value)
      dress(prototype)
      prototypes[prototypes.length] = prototype
      defineProperty(prototype, toStringTag, { __proto__: null, value: name, configurable: true })
    }
  }
  const descriptor = getOwnPropertyDescriptor(globals, name)
  if (descriptor !== undefined && descriptor.get !== undefined && descriptor.get === descriptor.set) publish(name, value)
}

// Each name takes room in every image, so one function gets and sets.
for (const part of ${JSON.stringify(NAMES_BY_GROUP)}.split(';')) {
  const [group, names] = part.split(':')
  for (const name of names.split(',')) {
    const access = (...given) => (given.length === 0 ? use(group)[name] : publish(name, given[0]))
    defineProperty(globals, name, { __proto__: null, get: access, set: access, enumerable: false, configurable: true })
  }
}

groups.prelude = { __proto__: null, use, evaluated, isPlatform, describe, kindOf, refuse, print, report, turn, waitUntil, textOf, written: () => written, copyOf, revive, Refusal, misuse, request, wait, typedArrayTag, typedArrayBuffer, hostModule, hostModuleCall, hostModuleRead, hostModuleWrite, random: Math.random, instant: Date.now() }
`
