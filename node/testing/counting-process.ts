/** Counts on a state engine on level, in DIR, and says each commit that it has an answer to; it is killed at some time. */
import { openStorageEngine } from '../../peer/state/storage-engine.ts'
import { countOnce, type Run } from '../../peer/state/testing/counting.ts'
import { openLevelStorage } from '../storage-level.ts'

const CLIENTS = 16

const [dir = '', name = ''] = process.argv.slice(2)
const damaged = (what: string) => void process.stdout.write(`damaged: ${what}\n`)
const storage = await openLevelStorage(dir, { schema: 1, migrations: {}, damaged })
const quotaOf = () => ({ keys: 1_000_000, bytes: 2 ** 30 })
const engine = await openStorageEngine({ storage, quotaOf, damaged })

const client = async (number: number) => {
  const run: Run = { acknowledged: new Map(), sent: new Map() }
  for (let n = 0; ; n++) {
    const id = `${number}-${name}-${n}`
    await countOnce(engine, run, id, n)
    // Written before anything else happens: a pipe on Linux does not wait.
    process.stdout.write(`${id}\n`)
  }
}
await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(number)))
