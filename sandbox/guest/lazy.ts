/**
 * Guest code (part of the prelude): globals of the web that are evaluated when they are first used. The host evaluates
 * the source of a group, which is no part of the guest's memory until then.
 */
import { WEB_GROUPS } from './web.ts'

export const LAZY_SOURCE = `
const groupNames = ${JSON.stringify({ __proto__: null, ...WEB_GROUPS })}
const groups = { __proto__: null }
const getters = { __proto__: null }

const evaluated = (group) => groups[group]

const use = (group) => {
  if (groups[group] === undefined) {
    const made = hostGroup(group)(use)
    groups[group] = made
    const names = groupNames[group]
    for (let i = 0; i < names.length; i++) settleGlobal(names[i], made[names[i]])
  }
  return groups[group]
}

// As Web IDL has it: the members of a class can be enumerated, and its objects say what they are.
const dress = (holder) => {
  const names = getOwnPropertyNames(holder)
  for (let i = 0; i < names.length; i++) {
    const name = names[i]
    if (name === 'constructor' || name === 'prototype' || name === 'length' || name === 'name') continue
    const descriptor = getOwnPropertyDescriptor(holder, name)
    if (descriptor.configurable) defineProperty(holder, name, { __proto__: null, enumerable: true })
  }
}

// The global becomes an ordinary one, unless the function has put something else in its place.
const settleGlobal = (name, value) => {
  if (typeof value === 'function') {
    defineProperty(value, 'name', { __proto__: null, value: name, configurable: true })
    const { prototype } = value
    if (prototype !== undefined) {
      dress(value)
      dress(prototype)
      defineProperty(prototype, toStringTag, { __proto__: null, value: name, configurable: true })
    }
  }
  const descriptor = getOwnPropertyDescriptor(globalThis, name)
  if (descriptor !== undefined && descriptor.get === getters[name] && getters[name] !== undefined) publish(name, value)
  delete getters[name]
}

for (const group of keys(groupNames))
  for (const name of groupNames[group]) {
    const get = () => use(group)[name]
    getters[name] = get
    defineProperty(globalThis, name, { __proto__: null, get, set: (value) => publish(name, value), enumerable: false, configurable: true })
  }

groups.prelude = { __proto__: null, use, evaluated, report, random, instant: Date.now() }
`
