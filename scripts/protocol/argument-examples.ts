/** Arguments of each kind of effect, at the limits too. */
import type { EffectKind } from '../../protocol/effects.ts'
import {
  LIST_ENTRIES_MAX,
  RANDOM_BYTES_MAX,
  STATE_BLOCK_BYTES,
  STATE_PUT_BYTES_MAX,
  STATE_VALUE_BYTES_MAX,
} from '../../protocol/limits.ts'
import type { Value } from '../../protocol/values.ts'

const http = { binding: 'API', url: 'https://a.example/', method: 'GET', headers: [], body: null }
const headers = [
  ['Accept', 'text/plain; q=1'],
  ['x', ''],
]

/** Of no bytes. */
const BLOCK = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'

export const argumentExamples: Record<EffectKind, Value[]> = {
  call: [{ ref: '#a' }, { ref: '#a', input: [1], options: null }, { ref: '#a', options: { fuel: 1, timeoutMs: 1 } }],
  sleep: [{ ms: 1 }],
  now: [{}],
  random: [{ bytes: 1 }, { bytes: RANDOM_BYTES_MAX }],
  get: [{ binding: 'DB', key: 'k' }],
  list: [
    { binding: 'DB', prefix: '', after: null, limit: 1 },
    { binding: 'DB', prefix: 'a/', after: 'a/b', limit: LIST_ENTRIES_MAX },
  ],
  put: [
    { binding: 'DB', key: 'k', value: null },
    // Before its bytes an item says how many they are, in five.
    { binding: 'DB', key: 'k', value: new Uint8Array(STATE_PUT_BYTES_MAX - 5) },
    { binding: 'DB', key: 'k', bytes: STATE_BLOCK_BYTES + 1, blocks: [BLOCK, BLOCK] },
    { binding: 'DB', key: 'k', bytes: STATE_VALUE_BYTES_MAX, blocks: Array<string>(64).fill(BLOCK) },
  ],
  delete: [{ binding: 'DB', key: 'k' }],
  fetch: [http, { ...http, headers, body: new Uint8Array(5) }],
  send: [http],
}
