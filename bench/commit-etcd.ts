/**
 * The state engine on etcd, three nodes on this machine, beside etcd without it: by the same client, a read and a transaction
 * for each commit, spread over the nodes. The rival reads what the node that it asks has, which costs no quorum; its
 * transaction finds out if that was old.
 */
import { Etcd } from '../node/state-etcd/client.ts'
import { openEtcdEngine } from '../node/state-etcd/engine.ts'
import { base64, put, unchanged } from '../node/state-etcd/messages.ts'
import type { StateEngine } from '../peer/state/engine.ts'
import { startCluster } from '../scripts/etcd/cluster.ts'

export const ETCD_CLIENTS = 64
const WAIT_MS = 10_000

export interface EtcdSubjects {
  engine: StateEngine
  /** One read-modify-write of `key`; false: somebody else has changed it meanwhile. */
  raw(client: number, key: string, modified: (value: Uint8Array | undefined) => Uint8Array): Promise<boolean>
  close(): Promise<void>
}

export const openEtcdSubjects = async (): Promise<EtcdSubjects> => {
  const cluster = await startCluster()
  const { endpoints } = cluster
  const quotaOf = () => ({ keys: 1_000_000, bytes: 2 ** 30 })
  const engine = await openEtcdEngine({ endpoints, home: 'bench', prefix: 'engine/', quotaOf, waitMs: WAIT_MS })
  const clients = endpoints.map((_, first) => new Etcd(endpoints, first))
  return {
    engine,
    raw: async (client, key, modified) => {
      const etcd = clients[client % clients.length] as Etcd
      const until = performance.now() + WAIT_MS
      const { kvs } = await etcd.range({ key: base64(`raw/${key}`) }, { serializable: true }, until)
      const [kv] = kvs
      const compare = [unchanged(`raw/${key}`, kv?.modRevision ?? 0)]
      const { succeeded } = await etcd.txn(compare, [put(`raw/${key}`, modified(kv?.value))], [], until)
      return succeeded
    },
    close: async () => {
      await engine.close()
      for (const etcd of clients) etcd.close()
      await cluster.close()
    },
  }
}
