import { afterAll, beforeAll } from 'vitest'
import { stateConformance } from '../../peer/state/conformance.ts'
import { put, quotaOf, type StateHarness } from '../../peer/state/testing/subject.ts'
import { type Cluster, startCluster } from '../../scripts/etcd/cluster.ts'
import { openEtcdEngine } from './engine.ts'

const REVISIONS = 64
const window = { revisions: REVISIONS, bytes: 2 ** 26 }

let cluster: Cluster
let prefixes = 0
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster.close())

const openAt = (prefix: string) =>
  openEtcdEngine({ endpoints: cluster.endpoints, home: 'home', prefix, quotaOf, window, waitMs: 20_000 })

const harness: StateHarness = {
  open: () => {
    prefixes += 1
    return openAt(`test-${prefixes}/`)
  },
  reopen: () => openAt(`test-${prefixes}/`),
  forget: async (engine) => {
    for (let n = 0; n < REVISIONS; n++) {
      const writes = [put('k', `${n}`, '.other')]
      const revision = await engine.revision()
      await engine.commit({ id: `forget-${n}-${revision}`, revision, reads: [], ranges: [], writes })
    }
    await engine.commit({
      id: `forget-${await engine.revision()}`,
      revision: await engine.revision(),
      reads: [],
      ranges: [],
      writes: [put('k', 'last', '.other')],
    })
  },
  close: async () => {},
}

stateConformance('on etcd', harness)
