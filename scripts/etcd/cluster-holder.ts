/** Holds a cluster until it is killed: its one line of output names the processes of etcd. */
import { startCluster } from './cluster.ts'

const cluster = await startCluster()
process.stdout.write(`${JSON.stringify(cluster.pids)}\n`)
