/** Worlds in which a mistake shows. */
import { type Asked, type Fault, PATIENT_MS, type Plan } from '../plan.ts'

export const calm = ({ natted: _, ...plan }: Plan): Plan => ({
  ...plan,
  isSecluded: false,
  kinds: plan.kinds.map(() => 'honest'),
  stepMs: plan.stepMs.map((ms) => Math.min(ms, 200)),
  faults: [],
})

/** All moves, of the same two registers and at one time. */
export const crowded = (plan: Plan): Plan => ({
  ...calm(plan),
  calls: plan.calls
    .slice(0, 3)
    .map((call) => ({ ...call, by: 0, atMs: 100, level: { level: 'self' }, what: { move: [0, 1], durable: false } })),
})

export const slow =
  (stepMs: number, timeoutMs?: number) =>
  (plan: Plan): Plan => ({
    ...calm(plan),
    stepMs: plan.stepMs.map(() => stepMs),
    calls: plan.calls.map((call) => ({ ...call, timeoutMs: timeoutMs ?? call.timeoutMs })),
  })

/** Its home is killed when all is done, and comes back. */
export const restarted = (plan: Plan): Plan => {
  const faults: Fault[] = [{ kind: 'kill', atMs: 8500, peer: 0, forMs: 100 }]
  return { ...crowded(plan), faults }
}

/** Its home is killed while errands wait for the second time, and comes back. */
export const resting = (plan: Plan): Plan => ({
  ...interrupted(plan),
  latencyMs: 2,
  stepMs: plan.stepMs.map(() => 1),
  faults: [{ kind: 'kill', atMs: 600, peer: 0, forMs: 100 }],
})

/** Its home is killed while errands are under way, and comes back. */
export const interrupted = (plan: Plan): Plan => {
  const { calls } = crowded(plan)
  return {
    ...calm(plan),
    calls: calls.map((call) => ({ ...call, what: { move: [0, 1], durable: true } })),
    faults: [{ kind: 'kill', atMs: 350, peer: 0, forMs: 100 }],
  }
}

/** All know each other by then. */
export const STARTED_MS = 1000

/** One is killed and comes back. */
export const withReturn = (plan: Plan): Plan => ({
  ...calm(plan),
  faults: [{ kind: 'kill', atMs: 2000, peer: 1, forMs: 100 }],
})

/** One is so slow that others are asked as well. */
export const uneven = (plan: Plan): Plan => ({
  ...calm({
    ...plan,
    calls: plan.calls.map((call) => ({ ...call, by: 0, level: { level: 'none' }, what: { map: 3 } })),
  }),
  stepMs: plan.stepMs.map((ms, i) => (i === 1 ? 40_000 : Math.min(ms, 200))),
})

/** One call after another, of one task that runs for long: of all but the first there are copies. */
export const tiedCopies = (plan: Plan): Plan => ({
  ...slow(300)(plan),
  calls: plan.calls.map((call, i) => ({
    ...call,
    atMs: 1000 * i,
    by: 0,
    level: { level: 'none' },
    timeoutMs: PATIENT_MS,
    what: { map: 1 },
  })),
})

/** Of each two do the same. */
export const compared = (plan: Plan): Plan => ({
  ...calm(plan),
  calls: plan.calls.map((call) => ({ ...call, by: 0, level: { level: 'quorum', n: 2 }, what: { map: 1 } })),
})

/** One is put out. */
export const expelling = (plan: Plan): Plan => ({ ...calm(plan), faults: [{ kind: 'revoke', atMs: 3000, peer: 2 }] })

/** One lies about what anybody may see. */
export const caught = (plan: Plan): Plan => ({
  ...calm({
    ...plan,
    calls: plan.calls.map((call) => ({ ...call, public: true, level: { level: 'self' }, what: { map: 3 } })),
  }),
  kinds: plan.kinds.map((_, i) => (i === 2 ? 'liar' : 'honest')),
})

/** A newcomer needs two at once, of whom it dials none. */
export const hasty = (plan: Plan): Plan => ({
  ...calm(plan),
  calls: plan.calls.map((call) => ({ ...call, by: 1, atMs: 0, level: { level: 'quorum', n: 2 }, what: { map: 1 } })),
})

/** Whoever wants to know somebody must ask. */
export const secluded = (plan: Plan): Plan => ({ ...calm(plan), isSecluded: true })

/** One can be known only to those that it dials itself, and nobody tells it of a guest that comes back when it was given up. */
export const withNat = (plan: Plan): Plan => ({
  ...calm(plan),
  kinds: ['honest', 'honest', 'honest', 'guest'],
  stepMs: [1, 1, 1, 1],
  natted: 2,
  faults: [{ kind: 'kill', atMs: 1000, peer: 3, forMs: 20_000 }],
})

/** The home signs two journals of one call, which its executor alone sees. */
export const twoFaced = (plan: Plan): Plan => {
  const { calls, ...moving } = crowded(plan)
  const once = calls.slice(0, 1).map((call) => ({ ...call, atMs: STARTED_MS }))
  return { ...moving, calls: once, kinds: plan.kinds.map((_, i) => (i === 0 ? 'two-faced' : 'honest')) }
}

/** So far from each other that copies are worth it. */
export const farCopies = (plan: Plan): Plan => ({ ...tiedCopies(plan), latencyMs: 60 })

/** One leaves so many ms after it may have been asked for something. */
export const leaving =
  (afterMs: number) =>
  (plan: Plan): Plan => {
    const [call] = plan.calls as [Asked, ...Asked[]]
    const asking = { ...call, by: 0, level: { level: 'none' as const }, timeoutMs: PATIENT_MS }
    return {
      ...slow(600)(plan),
      latencyMs: 2,
      calls: [
        { ...asking, number: 1, atMs: 500, what: { map: 3 } },
        { ...asking, number: 2, atMs: 4000, what: { map: 1 } },
      ],
      faults: [{ kind: 'leave', atMs: 4000 + afterMs, peer: 1 }],
    }
  }
