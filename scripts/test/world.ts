/** Worlds for tests: peers of `simulations/world.ts` on this machine's crypto and engine, seeded by the run's seed. */
import { onTestFinished } from 'vitest'
import { type CallRequest, type CallResult, ensureLevel } from '../../peer/calls.ts'
import { inputsOf } from '../../peer/inputs.ts'
import { learnMesh, readInvitation } from '../../peer/join.ts'
import type { OwnerPolicy } from '../../peer/owner-policy.ts'
import type { EffectKind } from '../../protocol/effects.ts'
import { FUEL_DEFAULT, MIB } from '../../protocol/limits.ts'
import type { Manifest } from '../../protocol/records.ts'
import { decodeValue, encodeValue, ensureValue, type Value } from '../../protocol/values.ts'
import type { PublishedFunction } from '../../registry/functions.ts'
import { createWorld, type PeerSetup, type World, type WorldOptions, type WorldPeer } from '../../simulations/world.ts'
import { machine } from '../sim/machine.ts'
import { seedFor } from './seed.ts'

export { machine }

/** A world that ends with the running test; `name` is unique in the file. */
export const worldFor = async (
  name: string,
  options: Omit<WorldOptions, 'seed' | 'machine'> & Partial<Pick<WorldOptions, 'machine'>>,
): Promise<World> => {
  const world = await createWorld({ machine, seed: seedFor(name), ...options })
  onTestFinished(() => world.stop())
  return world
}

/** Joins with a ticket of `inviter`, as somebody does who was never in the mesh; meets those whom it knows. */
export const joinBy = async (
  world: World,
  inviter: WorldPeer,
  { own = false, policy = {} }: { own?: boolean; policy?: Partial<OwnerPolicy> } = {},
): Promise<WorldPeer> => {
  const born = await joinWith(world, await inviter.peer.invite(60_000, own), policy)
  await world.clock.advance(1000)
  return born
}

/** The same with a ticket as text. */
export const joinWith = async (
  world: World,
  ticket: string,
  policy: Partial<OwnerPolicy> = {},
  setup: Pick<PeerSetup, 'sandboxHost'> = {},
): Promise<WorldPeer> => {
  const born = world.machine(setup)
  await born.ports.network.start()
  const invitation = await readInvitation(born.ports, ticket)
  const mesh = await world.until(learnMesh(born.ports, invitation))
  const peer = await world.add({ mesh, policy }, born)
  await world.until(peer.peer.join(invitation.addresses[0] as string))
  return peer
}

/** Each verification of a signature takes `ms`, as on a slow phone. */
export const slowVerify =
  (ms: number): NonNullable<WorldOptions['crypto']> =>
  (crypto, clock) => ({
    ...crypto,
    verify: async (...args) => {
      await new Promise<void>((resolve) => clock.after(ms, resolve))
      return crypto.verify(...args)
    },
  })

/** Stores a module at one peer. Its exports and effects are as given; nothing is bundled. */
export const publish = (
  { peer }: Pick<WorldPeer, 'peer'>,
  code: string,
  {
    exports = ['default'],
    effects = [] as EffectKind[],
    env = undefined as Manifest['env'],
    fuel = FUEL_DEFAULT,
    memoryBytes = 64 * MIB,
  } = {},
): Promise<PublishedFunction> =>
  peer.publish({
    name: 'tested',
    code: new TextEncoder().encode(code),
    exports,
    effects,
    ...(env && { env }),
    limits: { fuel, memory_bytes: memoryBytes, output_bytes: MIB },
  })

/** A call of `input` to the default export, at level none, without a fallback to the local sandbox. */
export const requestOf = (
  { cid }: PublishedFunction,
  input: unknown,
  changes: Partial<CallRequest> = {},
): CallRequest => ({
  function: cid,
  export: 'default',
  input: encodeValue(ensureValue(input)),
  level: { level: 'none' },
  timeoutMs: 60_000,
  remote: true,
  depth: 0,
  ...changes,
})

/** What the function returned. */
export const returned = ({ outcome: { result } }: CallResult): Value => {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`)
  return decodeValue(result.value)
}

/** Each time `home` makes so many calls more, and has all answers. */
export const auditedWork = async (home: WorldPeer, batch: number): Promise<() => Promise<void>> => {
  const { input: _, ...request } = requestOf(await publish(home, 'export default (x) => 2 * x'), null, {
    level: ensureLevel('audit'),
  })
  let next = 0
  return async () => {
    const inputs = Array.from({ length: batch }, () => encodeValue(next++))
    for await (const _ of home.peer.map(request, inputsOf(inputs), false));
  }
}
