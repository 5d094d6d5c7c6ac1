/**
 * What makes a peer a home of state, and of what goes outside. Given by hosts that keep some: pages keep none, and do not
 * carry it either.
 */
import type { Ports } from '../protocol/ports.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import type { BlockStore } from '../registry/block-store.ts'
import { serveCallers } from './durable/callers.ts'
import { Durable } from './durable/durable.ts'
import { withRoom } from './durable/forgetting.ts'
import { BoundEffects } from './effects/bound.ts'
import { putsIn } from './large-puts.ts'
import { Rehearsals } from './rehearsals.ts'
import { Resuming } from './resuming.ts'
import { Sends } from './sends/sends.ts'
import type { StateEngine } from './state/engine.ts'
import { Foresight } from './state/foresight.ts'
import { Gates } from './state/gate.ts'
import type { Homes } from './state/homes.ts'
import { LargeValues } from './state/large-values.ts'
import { OwnerAccess } from './state/owner-access.ts'
import { StatefulCall } from './state/stateful-call.ts'
import type { State } from './state/steps.ts'
import { Usage } from './usage/usage.ts'

interface RegistryParts {
  store: BlockStore
  exchange: BlockExchange
}

const stateOn = (ports: Ports, registry: RegistryParts, entries: StateEngine, homes?: Homes): State => {
  const engine = withRoom(ports, new LargeValues(ports, entries, homes !== undefined))
  const { store, exchange } = registry
  return {
    engine,
    store,
    exchange,
    gates: new Gates(),
    sends: new Sends(ports, engine, homes),
    foresight: new Foresight(),
  }
}

export const homeKit = {
  BoundEffects,
  Durable,
  openUsage: Usage.open,
  OwnerAccess,
  putsIn,
  Rehearsals,
  Resuming,
  serveCallers,
  StatefulCall,
  stateOn,
}
export type HomeKit = typeof homeKit
