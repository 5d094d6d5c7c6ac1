/** Puts large values on level, in DIR, one over the other, and says each that it has an answer to; it is killed at some time. */
import { LargeValues } from '../../peer/state/large-values.ts'
import { openStorageEngine } from '../../peer/state/storage-engine.ts'
import { systemClock } from '../clock.ts'
import { createCrypto } from '../crypto.ts'
import { systemRandom } from '../random.ts'
import { openLevelStorage } from '../storage-level.ts'
import { KEYS, largePut, numberIn } from './large-puts.ts'

const [dir = ''] = process.argv.slice(2)
const damaged = (what: string) => void process.stdout.write(`damaged: ${what}\n`)
const storage = await openLevelStorage(dir, { schema: 1, migrations: {}, damaged })
const quotaOf = () => ({ keys: 1000, bytes: 2 ** 30 })
const entries = await openStorageEngine({ storage, quotaOf, damaged })
const engine = new LargeValues({ clock: systemClock, crypto: createCrypto(), random: systemRandom }, entries, false)

/** Goes on behind what stands there. */
const putting = async (key: string) => {
  const [found] = await engine.read('shop', [key], await engine.revision())
  for (let n = numberIn(found?.value) + 1; ; n++) {
    const write = { namespace: 'shop', key, put: largePut(n) }
    let kind: string
    do {
      const about = { id: `${key}-${n}`, revision: await engine.revision(), reads: [], ranges: [] }
      kind = (await engine.commit({ ...about, writes: [write] })).kind
    } while (kind === 'conflict')
    // Written before anything else happens: a pipe on Linux does not wait.
    process.stdout.write(`${key} ${n}\n`)
  }
}
await Promise.all(KEYS.map(putting))
