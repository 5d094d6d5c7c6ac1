/** Functions as blocks: the code in raw blocks of one size, and the manifest, whose CID is the function's. */
import { type CID, recordCid } from '../protocol/cid.ts'
import type { EffectKind } from '../protocol/effects.ts'
import { MeshError } from '../protocol/errors.ts'
import { CODE_BYTES_MAX, KIB } from '../protocol/limits.ts'
import type { Limits } from '../protocol/outcome.ts'
import type { Crypto } from '../protocol/ports.ts'
import { type Binding, Manifest } from '../protocol/records.ts'
import { ensureShape } from '../protocol/schema.ts'
import { splitBytes } from '../protocol/split.ts'
import type { Tier } from '../protocol/tiers.ts'
import type { BlockStore } from './block-store.ts'

/** Every block of code but the last has this size, so that one bundle has one CID, and its blocks load side by side. */
export const CODE_BLOCK_BYTES = 256 * KIB

const RAW = 0x55
const DAG_CBOR = 0x71

export interface FunctionBundle {
  name: string
  /** JavaScript, unless given. */
  tier?: Tier
  /** One ES module, UTF-8, or one WebAssembly module. With `modules` 1 to CODE_BYTES_MAX bytes. */
  code: Uint8Array
  /** WebAssembly modules that the ES module was bundled with. */
  modules?: readonly Uint8Array[]
  exports: string[]
  effects: EffectKind[]
  /** Nothing, unless given. */
  env?: readonly Binding[]
  limits: Limits
}

const joined = ({ code, modules = [] }: FunctionBundle): Uint8Array => {
  if (modules.length === 0) return code
  const all = new Uint8Array(modules.reduce((bytes, module) => bytes + module.length, code.length))
  let at = 0
  for (const part of [code, ...modules]) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** `blocks`: the manifest and each distinct block of the code; what to pin. */
export interface PublishedFunction {
  cid: CID
  manifest: Manifest
  blocks: CID[]
}

export interface LoadedCode {
  manifest: Manifest
  code: Uint8Array
}

const sortedSet = <T extends string>(names: readonly T[]): T[] => [...new Set(names)].sort()

const ensureManifest = (
  bundle: FunctionBundle,
  code_bytes: number,
  code: CID[],
): { manifest: Manifest; encoded: Uint8Array } => {
  const { name, exports, effects, limits, tier = 'javascript' } = bundle
  const modules = (bundle.modules ?? []).map(({ length }) => length)
  const sorted = { exports: sortedSet(exports), effects: sortedSet(effects) }
  const env = [...(bundle.env ?? [])].sort((a, b) => (a.name < b.name ? -1 : 1))
  try {
    const fields = { v: 1, name, ...sorted, ...(env.length > 0 && { env }), limits, tier, modules, code, code_bytes }
    const manifest = ensureShape(Manifest.name, Manifest.schema, fields)
    const encoded = Manifest.encode(manifest)
    Manifest.decode(encoded)
    return { manifest, encoded }
  } catch (cause) {
    const message = `the function ${JSON.stringify(name)} cannot be described: ${(cause as Error).message}`
    throw new MeshError('E_BUNDLE', { message, name }, { cause })
  }
}

/**
 * Stores the code as raw blocks, and the manifest. The same bundle has the same CID on any machine, in whatever order
 * its exports and effects are named. Throws MeshError E_BUNDLE, E_STORAGE_FULL or E_STORAGE.
 */
export const publishFunction = async (
  crypto: Pick<Crypto, 'hash'>,
  store: BlockStore,
  bundle: FunctionBundle,
): Promise<PublishedFunction> => {
  const code = joined(bundle)
  const size = code.length
  if (size === 0 || size > CODE_BYTES_MAX) {
    const message = `the code of ${JSON.stringify(bundle.name)} has ${size} bytes; it must have 1 to ${CODE_BYTES_MAX}`
    throw new MeshError('E_BUNDLE', { message, limit_bytes: CODE_BYTES_MAX })
  }
  const parts = splitBytes(crypto, code, CODE_BLOCK_BYTES)
  const codeCids = parts.map((part) => part.cid)
  const { manifest, encoded } = ensureManifest(bundle, size, codeCids)
  const cid = recordCid(crypto, encoded)
  const all = new Map([{ cid, bytes: encoded }, ...parts].map((block) => [block.cid.toString(), block]))
  const blocks = [...all.values()].map((block) => block.cid)
  // Pinned, so that under a small budget the last block cannot push out the first: it is stored whole or refused.
  const unpin = store.pin(blocks)
  try {
    for (const block of all.values()) await store.put(block.cid, block.bytes)
  } finally {
    unpin()
  }
  return { cid, manifest, blocks }
}

const readManifest = (cid: CID, bytes: Uint8Array): Manifest => {
  const refuse = (why: string, cause?: unknown): never => {
    const message = `${cid} is not a function: ${why}; use a CID that \`wayside run\` or \`wayside map\` printed`
    throw new MeshError('E_MESSAGE', { message, function: cid.toString() }, { cause })
  }
  if (cid.code !== DAG_CBOR) refuse('a manifest has a dag-cbor CID')
  let manifest: Manifest
  try {
    manifest = Manifest.decode(bytes)
  } catch (cause) {
    return refuse((cause as Error).message, cause)
  }
  const expected = Math.ceil(manifest.code_bytes / CODE_BLOCK_BYTES)
  if (manifest.code.length !== expected)
    refuse(`${manifest.code_bytes} bytes of code are ${expected} blocks, and it names ${manifest.code.length}`)
  const modulesBytes = manifest.modules.reduce((sum, size) => sum + size, 0)
  if (modulesBytes >= manifest.code_bytes || (manifest.tier === 'webassembly' && modulesBytes > 0))
    refuse(`${modulesBytes} bytes of modules do not fit into ${manifest.code_bytes} bytes of ${manifest.tier}`)
  if (manifest.code.some((part) => part.code !== RAW)) refuse('a block of its code is not named by a raw CID')
  return manifest
}

/**
 * Manifest and joined code of the function `cid`. `fetchBlock` must return verified bytes, as BlockStore and
 * BlockExchange do; what it throws passes through. Throws MeshError E_MESSAGE if the blocks make no function.
 */
export const loadFunction = async (fetchBlock: (cid: CID) => Promise<Uint8Array>, cid: CID): Promise<LoadedCode> => {
  const manifest = readManifest(cid, await fetchBlock(cid))
  const code = new Uint8Array(manifest.code_bytes)
  const place = async (part: CID, index: number) => {
    const bytes = await fetchBlock(part)
    const at = index * CODE_BLOCK_BYTES
    const expected = Math.min(CODE_BLOCK_BYTES, code.length - at)
    if (bytes.length !== expected) {
      const message = `${cid} is not a function: block ${index} of its code has ${bytes.length} bytes, not ${expected}; publish it again`
      throw new MeshError('E_MESSAGE', { message, function: cid.toString(), block: part.toString() })
    }
    code.set(bytes, at)
  }
  await Promise.all(manifest.code.map(place))
  return { manifest, code }
}
