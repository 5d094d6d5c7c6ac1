/** Where an agent keeps the state of functions: in its data directory, or in an etcd that it shares with other homes. */
import { readFile } from 'node:fs/promises'
import { callerPrefixIn } from '../peer/state/caller-namespaces.ts'
import type { Holdings, StateEngine } from '../peer/state/engine.ts'
import type { Homes } from '../peer/state/homes.ts'
import { openStorageEngine } from '../peer/state/storage-engine.ts'
import { MeshError } from '../protocol/errors.ts'
import { peerIdFromPublicKey } from '../protocol/identity.ts'
import type { Config, EtcdConfig } from './config.ts'
import type { DataDir } from './data-dir.ts'
import type { AgentLog } from './log/log.ts'
import { openEtcdEngine } from './state-etcd/engine.ts'

/**
 * What one caller may hold, with what ended invocations of its own keep, is a quarter of what all callers may hold together: so one
 * leaves room for others, and keys, which cost nothing, are no way to more.
 */
const CALLER_SHARE = 4
/** Keys of one namespace, or of all callers: some 200 MB of them, of which the counts alone are in memory. */
const STATE_KEYS_MAX = 10_000_000
/** Longer than it takes until another node of etcd leads. Calls ask again until their deadline, and say why it was in vain. */
const ETCD_WAIT_MS = 3000

export interface OpenState {
  engine: StateEngine
  /** Undefined: this home is the only one. */
  homes?: Homes
}

const fileOf = async (key: string, file: string | undefined): Promise<string | undefined> => {
  if (file === undefined) return undefined
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    const message = `${key}: ${file} cannot be read: ${(cause as Error).message}`
    throw new MeshError('E_CONFIG', { message, key }, { cause })
  }
}

const credentialsOf = async ({ caFile, certFile, keyFile, user, passwordFile }: EtcdConfig) => ({
  tls: {
    ca: await fileOf('etcd_ca', caFile),
    cert: await fileOf('etcd_cert', certFile),
    key: await fileOf('etcd_key', keyFile),
  },
  user:
    user === undefined
      ? undefined
      : { name: user, password: String(await fileOf('etcd_password', passwordFile)).trim() },
})

const openShared = async (
  etcd: EtcdConfig,
  who: { home: string; mesh: string },
  quotaOf: (holder: string) => Holdings,
): Promise<OpenState> => {
  const { endpoints, prefix } = etcd
  const credentials = await credentialsOf(etcd)
  const engine = await openEtcdEngine({ endpoints, prefix, credentials, ...who, quotaOf, waitMs: ETCD_WAIT_MS })
  return { engine, homes: engine.homes }
}

/** Throws MeshError E_STORAGE; with etcd E_STATE_UNAVAILABLE, E_NAMESPACE_TAKEN, and E_CONFIG for a file that cannot be read. */
export const openState = async (
  { etcd, diskBytes }: Pick<Config, 'etcd' | 'diskBytes'>,
  { signer, storage }: Pick<DataDir, 'signer' | 'storage'>,
  log: AgentLog,
  mesh: string,
): Promise<OpenState> => {
  const quotaOf = (holder: string) => {
    const share = callerPrefixIn(holder) === holder ? CALLER_SHARE : 1
    return { keys: Math.floor(STATE_KEYS_MAX / share), bytes: Math.floor(diskBytes / share) }
  }
  if (etcd) return openShared(etcd, { home: peerIdFromPublicKey(signer.publicKey), mesh }, quotaOf)
  const damaged = (reason: string) => log.event('storage.failed', { code: 'E_STORAGE', reason })
  return { engine: await openStorageEngine({ storage, quotaOf, damaged }) }
}
