/** The port that the system chose for `/tcp/0`, kept: addresses and tickets given away stay true after a restart. */
import * as v from 'valibot'
import { decodeCanonical, encodeCanonical } from '../protocol/codec.ts'
import type { Storage } from '../protocol/ports.ts'

const KEY = 'node/ports'
const FREE_PORT = /\/tcp\/0(?=\/|$)/
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
    return port === undefined ? address : address.replace(FREE_PORT, `/tcp/${port}`)
  })

/** What to keep after listening: for a single address with a free port, the port that is in all `bound` ones. */
export const portsToKeep = (listen: readonly string[], bound: readonly string[]): KeptPorts => {
  const [address, ...others] = listen.filter((one) => FREE_PORT.test(one))
  const found = new Set(bound.map((one) => /\/tcp\/([0-9]+)/.exec(one)?.[1]))
  const [port] = found
  return address === undefined || others.length > 0 || found.size !== 1 ? {} : { [address]: Number(port) }
}
