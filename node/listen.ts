/** The port that the system chose for `/tcp/0` or `/udp/0`, kept: addresses and tickets given away stay true after a restart. */
import * as v from 'valibot'
import { addressKind } from '../protocol/address-kind.ts'
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import type { Storage } from '../protocol/ports.ts'

const KEY = 'node/ports'
const FREE_PORT = /\/(tcp|udp)\/0(?=\/|$)/
const ports = v.record(v.string(), v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)))

/** By listen address as the owner wrote it. */
export type KeptPorts = v.InferOutput<typeof ports>

export const loadPorts = async (storage: Storage): Promise<KeptPorts> => {
  const stored = await storage.get(KEY)
  return stored ? v.parse(ports, decodeCanonical(stored)) : {}
}

export const savePorts = (storage: Storage, kept: KeptPorts): Promise<void> =>
  storage.write([{ key: KEY, put: encodeCanonical(kept) }])

/** The listen addresses with the ports that were kept for them. */
export const withKeptPorts = (listen: readonly string[], kept: KeptPorts): string[] =>
  listen.map((address) => {
    const port = kept[address]
    return port === undefined ? address : address.replace(FREE_PORT, `/$1/${port}`)
  })

/** Can browsers come to an agent that listens there? */
export const servesPages = (listen: readonly string[]): boolean =>
  listen.some((address) => ['ws', 'wss'].includes(addressKind(address)))

/** The one port in all of `bound`, if there is one. */
const commonPort = (bound: readonly string[]): number | undefined => {
  const found = new Set(bound.map((one) => /\/(?:tcp|udp)\/([0-9]+)/.exec(one)?.[1]))
  return found.size === 1 ? Number([...found][0]) : undefined
}

/** What to keep after listening: for the only address of its kind with a free port, the port that is in all `bound` ones of that kind. */
export const portsToKeep = (listen: readonly string[], bound: readonly string[]): KeptPorts => {
  const free = listen.filter((address) => FREE_PORT.test(address))
  const kept = free.flatMap((address): [string, number][] => {
    const kind = addressKind(address)
    const isOnly = listen.filter((other) => addressKind(other) === kind).length === 1
    const port = commonPort(bound.filter((other) => addressKind(other) === kind))
    return isOnly && port ? [[address, port]] : []
  })
  return Object.fromEntries(kept)
}
