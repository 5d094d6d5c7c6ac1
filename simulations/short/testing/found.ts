/** Plans under which something was wrong, as they were drawn then: whoever draws otherwise loses their seeds, and not these. */
import type { Plan } from '../plan.ts'

/** By what was found. */
export const FOUND: { readonly [found: string]: Plan } = {
  'an honest executor was blamed for a receipt that was on its way, slowly, when the way was lost': {
    seed: 2363104424,
    kinds: ['honest', 'honest', 'honest', 'honest', 'honest'],
    latencyMs: 15,
    stepMs: [19, 18, 6, 133, 193],
    calls: [
      {
        number: 1,
        by: 0,
        atMs: 911,
        level: { level: 'quorum', n: 2 },
        timeoutMs: 2028,
        public: false,
        what: { move: [0, 1], durable: false },
      },
      { number: 2, by: 1, atMs: 1801, level: { level: 'audit' }, timeoutMs: 120000, public: false, what: { map: 3 } },
      {
        number: 3,
        by: 1,
        atMs: 1954,
        level: { level: 'quorum', n: 3 },
        timeoutMs: 120000,
        public: true,
        what: { map: 2 },
      },
      { number: 4, by: 0, atMs: 355, level: { level: 'quorum', n: 3 }, timeoutMs: 741, public: true, what: { map: 3 } },
      { number: 5, by: 0, atMs: 2743, level: { level: 'audit' }, timeoutMs: 1242, public: true, what: { map: 1 } },
      { number: 6, by: 1, atMs: 1916, level: { level: 'self' }, timeoutMs: 1230, public: false, what: { map: 2 } },
    ],
    faults: [
      { kind: 'disk', atMs: 574, peer: 2, forMs: 2363 },
      { kind: 'partition', atMs: 1174, peer: 0, other: 1, forMs: 1663 },
      { kind: 'lose', atMs: 3528, peer: 0 },
      { kind: 'late', atMs: 1796, peer: 2, lateMs: 848, forMs: 3526 },
    ],
    isSecluded: false,
  },
  'the operator had put a peer out that its disk knew nothing of, and nobody else': {
    seed: 3332631258,
    kinds: ['honest', 'honest', 'honest', 'honest'],
    latencyMs: 15,
    stepMs: [197, 4, 2, 10],
    calls: [
      { number: 1, by: 0, atMs: 801, level: { level: 'audit' }, timeoutMs: 1441, public: false, what: { map: 3 } },
      {
        number: 2,
        by: 1,
        atMs: 1495,
        level: { level: 'quorum', n: 3 },
        timeoutMs: 120000,
        public: true,
        what: { map: 2 },
      },
      {
        number: 3,
        by: 0,
        atMs: 1584,
        level: { level: 'quorum', n: 2 },
        timeoutMs: 120000,
        public: true,
        what: { map: 3 },
      },
    ],
    isSecluded: false,
    faults: [
      { kind: 'disk', atMs: 1569, peer: 0, forMs: 1436 },
      { kind: 'partition', atMs: 2807, peer: 1, other: 3, forMs: 4468 },
      { kind: 'revoke', atMs: 2290, peer: 3 },
    ],
  },
}
