import { expect, test } from 'vitest'
import type { AgentStatus } from '../agent.ts'
import { statusWords } from './status-words.ts'

const PEER = '12D3KooWMiRP4Nt62Abccr2GW62pRaMJM3887HcYkRSJ9wxKb9K7'
const saidOf = (reads: AgentStatus['reads']): string =>
  statusWords({
    ...{ wayside: '1.0.0', peer: PEER, pid: 1, data: '/tmp/data', up_ms: 1000, paused_by: null, paused_until: null },
    lends: { slots: 1, memory_bytes: 1024, disk_bytes: 1024, accept: ['mesh'], deny: [] },
    mesh: { id: 'bafyreihndolwbltogqyxwvjr2ojridehhltmz3gmca645taonhh2frfrc4', name: 'attic', admission: 'private' },
    ...{ memory_bytes_lent: 1024, sandbox: { lacks: null }, running: [], neighbours: [], last_refusal: null },
    ...{ today: { tasks: 0, run_ms: 0, bytes: 0, refused: 0 }, disk: { bytes: 0, blocks: 0 } },
    ...{
      memo: { entries: 0, bytes: 0, hits: 0, misses: 0 },
      relay: null,
      without_webrtc: null,
      phone: null,
      web: null,
    },
    reads,
  } as unknown as AgentStatus)

test('how many reads went with their calls is said, once there were any', () => {
  expect(saidOf({ foreseen: 1866, asked: 134, waits: 70 })).toMatch(
    /\n {2}reads +1,866 of 2,000 from the state went with their calls, 93 %; functions waited 70 times\n/,
  )
  expect(saidOf({ foreseen: 0, asked: 1, waits: 1 })).toMatch(/reads +0 of 1 .* 0 %; functions waited 1 time\n/)
  for (const none of [null, { foreseen: 0, asked: 0, waits: 0 }]) expect(saidOf(none)).not.toContain('reads')
})
