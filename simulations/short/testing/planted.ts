/** Mistakes as the product could have them, each of which a checker must find. */
import type { StateEngine } from '../../../peer/state/engine.ts'
import { MeshError } from '../../../protocol/errors.ts'
import { BLOCKS_PROTOCOL, type FrameOf, type PeerFrame } from '../../../protocol/frames.ts'
import { Outcome } from '../../../protocol/outcome.ts'
import type { Clock, Storage } from '../../../protocol/ports.ts'
import { USAGE_PROTOCOL } from '../../../protocol/tally.ts'
import { encodeValue } from '../../../protocol/values.ts'
import { lyingHost } from '../../adversaries.ts'
import { delegated, withChannels, withFrames } from '../../channels.ts'
import type { CHECKERS } from '../checks.ts'
import type { Plan } from '../plan.ts'
import type { Planted } from '../run.ts'
import {
  caught,
  compared,
  crowded,
  expelling,
  farCopies,
  hasty,
  interrupted,
  leaving,
  restarted,
  resting,
  STARTED_MS,
  secluded,
  slow,
  tiedCopies,
  twoFaced,
  uneven,
  withNat,
  withReturn,
} from './shapes.ts'

export interface Mistake extends Planted {
  /** The kind of frame that is said otherwise. */
  kind?: Kind
  finds: keyof typeof CHECKERS
  /** The world in which it shows; unless given, one in which all are honest and nothing breaks. */
  shaped?(plan: Plan): Plan
}

type Kind = PeerFrame['t']

/** Every peer says `change(frame)` in place of each frame of a kind; nothing: it does not say it. */
const saying = <T extends Kind>(
  kind: T,
  change: (frame: FrameOf<T>, atMs: number) => PeerFrame | undefined,
): Planted & { kind: T } => ({
  kind,
  ports: (ports) =>
    withFrames(ports, {
      sent: (frame) => {
        const said = frame.t === kind ? change(frame as FrameOf<T>, ports.clock.monotonic()) : frame
        return said ? [said] : []
      },
    }),
})

const silentOn = (kind: Kind) => saying(kind, () => undefined)

const DAY_MS = 86_400_000

const bound = (clock: Clock): Clock => ({
  now: () => clock.now(),
  monotonic: () => clock.monotonic(),
  after: (ms, run) => clock.after(ms, run),
})

const clocked = (change: (clock: Clock) => Clock): Planted => ({
  ports: (ports) => ({ ...ports, clock: change(ports.clock) }),
})

/** A disk and a state with another `write`, or another `commit`. */
const writing = (storage: Storage, write: Storage['write']): Storage => ({
  get: (key) => storage.get(key),
  getMany: (keys) => storage.getMany(keys),
  scan: (...range) => storage.scan(...range),
  close: () => storage.close(),
  write,
})

const committing = (engine: StateEngine, commit: StateEngine['commit']): StateEngine => ({
  revision: () => engine.revision(),
  read: (...asked) => engine.read(...asked),
  list: (...asked) => engine.list(...asked),
  watch: (...asked) => engine.watch(...asked),
  ensureRoom: (...asked) => engine.ensureRoom(...asked),
  close: () => engine.close(),
  commit,
})

/** At the home: it says that it has synced, and has not. */
const unsynced: Planted = {
  ports: (ports, peer) =>
    peer === 0 ? { ...ports, storage: writing(ports.storage, (writes) => ports.storage.write(writes)) } : ports,
}

const wrongValue = encodeValue(42)
const withValue = (bytes: Uint8Array): Uint8Array =>
  Outcome.encode({ ...Outcome.decode(bytes), result: { ok: true, value: wrongValue } })

/** By what the product does wrong. */
export const MISTAKES: { readonly [does: string]: Mistake } = {
  // What peers say, kind by kind.
  'hello: whoever comes back says none': {
    finds: 'the honest stay',
    ...saying('hello', (frame, atMs) => (atMs < STARTED_MS ? frame : undefined)),
    shaped: withReturn,
  },
  'welcome: whoever comes back is not told that it is': {
    finds: 'the honest stay',
    ...saying('welcome', (frame, atMs) => (atMs < STARTED_MS ? frame : undefined)),
    shaped: withReturn,
  },
  'advertise: nobody says what it lends': { finds: 'nothing lost', ...silentOn('advertise') },
  'peers: newcomers are told of nobody': { finds: 'nothing lost', ...silentOn('peers'), shaped: hasty },
  'load: all places are said to be taken': {
    finds: 'nothing lost',
    ...saying('load', (frame) => ({ ...frame, slots: 0, free: 0 })),
  },
  'invoke: it is not sent': { finds: 'nothing lost', ...silentOn('invoke') },
  'invoke: it asks for another input': {
    finds: 'nothing lost',
    ...saying('invoke', (frame) => ({
      ...frame,
      items: frame.items.map((item) => ({ ...item, input: wrongValue })),
    })),
  },
  'accepted: what was taken is refused': {
    finds: 'nothing lost',
    ...saying('accepted', ({ ids }) => ({ t: 'refused', ids, code: 'E_NOT_ACCEPTED', message: 'no', better: [] })),
  },
  'progress: nobody says that it works': {
    finds: 'nothing lost',
    ...silentOn('progress'),
    shaped: slow(2500),
  },
  'answers: another value than that of the run': {
    finds: 'right answers',
    ...saying('answers', (frame) => ({
      ...frame,
      items: frame.items.map(({ id, outcome }) => ({ id, outcome: withValue(outcome) })),
    })),
  },
  'answers: a run fails when it is done': {
    finds: 'nothing lost',
    ...saying('answers', ({ items }) => ({
      ...{ t: 'failed', ids: items.map(({ id }) => id), code: 'E_INCONCLUSIVE', message: 'it ended' },
    })),
  },
  'receipts: none is sent': { finds: 'the honest stay', ...silentOn('receipts') },
  'journals: their lengths are wrong': {
    finds: 'the honest stay',
    ...saying('journals', (frame) => ({
      ...frame,
      items: frame.items.map(({ id, length }) => ({ id, length: length + 1 })),
    })),
  },
  'heads: none is sent': { finds: 'the honest stay', ...silentOn('heads') },
  'request: it is not passed on': { finds: 'nothing lost', ...silentOn('request') },
  'request: of another key': {
    finds: 'nothing lost',
    ...saying('request', (frame) => ({ ...frame, arguments: encodeValue({ binding: 'DB', key: 'other' }) })),
  },
  'answer: of what was read another value is told': {
    finds: 'the honest stay',
    ...saying('answer', (frame) => ({ ...frame, answer: { ok: true, value: encodeValue(7) } })),
  },
  'cancel: what is given up goes on': { finds: 'queues bounded', ...silentOn('cancel'), shaped: uneven },
  'guessed: what was read ahead is not said to have been': {
    finds: 'the honest stay',
    ...silentOn('guessed'),
    shaped: crowded,
  },
  'ping: nobody asks how far it is': { finds: 'ways known', ...silentOn('ping') },
  'pong: nobody answers that': { finds: 'ways known', ...silentOn('pong') },
  'tied: what has copies is not sent': { finds: 'nothing lost', ...silentOn('tied'), shaped: tiedCopies },
  'revocations: none is told': { finds: 'who is out stays out', ...silentOn('revocations'), shaped: expelling },
  'proof: none is told': { finds: 'proofs travel', ...silentOn('proof'), shaped: caught },
  'lookup: nobody asks for others': { finds: 'the honest stay', ...silentOn('lookup'), shaped: secluded },
  'found: nobody says whom it knows': { finds: 'the honest stay', ...silentOn('found'), shaped: secluded },
  'reach: nobody says whom it cannot dial': { finds: 'the honest stay', ...silentOn('reach'), shaped: withNat },
  'sought: who cannot be dialled is not told by whom': {
    finds: 'the honest stay',
    ...silentOn('sought'),
    shaped: withNat,
  },
  'contradiction: none is told': {
    finds: 'contradictions travel',
    ...silentOn('contradiction'),
    shaped: twoFaced,
  },
  'started: nobody says that it has': { finds: 'runs are known', ...silentOn('started'), shaped: farCopies },
  'failed: what is given back is not said to be': { finds: 'handed back', ...silentOn('failed'), shaped: leaving(300) },
  'refused: what is not taken is not said to be': { finds: 'handed back', ...silentOn('refused'), shaped: leaving(-1) },
  'verdict: the secret behind a draw is kept': {
    finds: 'draws are shown',
    ...silentOn('verdict'),
    shaped: compared,
  },
  'verdict: another secret than was committed to': {
    finds: 'draws are shown',
    ...saying('verdict', (frame) => ({ ...frame, secret: new Uint8Array(32) })),
    shaped: compared,
  },
  'bye: whoever goes does not say why': { finds: 'told why', ...silentOn('bye'), shaped: leaving(500) },
  'bye: whoever is put out is not told why': { finds: 'told why', ...silentOn('bye'), shaped: expelling },
  'rested: nobody says where its runs are at rest': { finds: 'goes on', ...silentOn('rested'), shaped: resting },
  'blocks: they cannot be asked for': {
    finds: 'nothing lost',
    ports: (ports) => withChannels(ports, (channel) => ({ ...delegated(channel), send: () => true }), BLOCKS_PROTOCOL),
  },
  'usage: what is signed does not arrive': {
    finds: 'balances agree',
    ports: (ports) => withChannels(ports, (channel) => ({ ...delegated(channel), send: () => true }), USAGE_PROTOCOL),
  },
  // What checkers look at.
  'results: one is handed over twice': {
    finds: 'delivered once',
    results: (ready) => [...ready, ...ready.slice(0, 1)],
  },
  'results: one is not handed over': { finds: 'nothing lost', results: (ready) => ready.slice(1) },
  'sandbox: it computes something else': {
    finds: 'right answers',
    ports: (ports) => ({ ...ports, sandboxHost: lyingHost(ports.sandboxHost) }),
  },
  'clock: it goes slow': {
    finds: 'ends in time',
    ...clocked((clock) => ({ ...bound(clock), monotonic: () => clock.monotonic() / 4 })),
    shaped: slow(30_000, 1500),
  },
  'clock: timers are left behind': {
    finds: 'queues bounded',
    ...clocked((clock) => ({
      ...bound(clock),
      after: (ms, run) => {
        clock.after(DAY_MS, () => {})
        return clock.after(ms, run)
      },
    })),
  },
  'state: what was read is not looked at again': {
    finds: 'strictly serialisable',
    state: (engine) => committing(engine, (one) => engine.commit({ ...one, reads: [], ranges: [] })),
    shaped: crowded,
  },
  'state: a commit is answered and not made': {
    finds: 'effects once',
    state: (engine) =>
      committing(engine, async () => ({ kind: 'committed', revision: Math.max(1, await engine.revision()) })),
    shaped: crowded,
  },
  'state: it forgets what it has committed': {
    finds: 'effects once',
    state: (engine) => {
      let commits = 0
      return committing(engine, async (one) => {
        commits += 1
        const came = await engine.commit({ ...one, id: `${commits}` })
        if (commits % 2 === 1) throw new MeshError('E_STATE_UNAVAILABLE', 'its answer was lost')
        return came
      })
    },
    shaped: crowded,
  },
  'disk: what is written is gone with the process': {
    finds: 'effects once',
    ports: (ports, peer) => {
      const write: Storage['write'] = async (writes, options) => {
        if (ports.clock.monotonic() < STARTED_MS) await ports.storage.write(writes, options)
      }
      return peer === 0 ? { ...ports, storage: writing(ports.storage, write) } : ports
    },
    shaped: restarted,
  },
  'disk: what was synced is gone with the machine': { finds: 'effects once', ...unsynced, shaped: restarted },
  'disk: errands that were kept are gone with the machine': {
    finds: 'nothing lost',
    ...unsynced,
    shaped: interrupted,
  },
}
