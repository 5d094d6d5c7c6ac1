/**
 * What makes a peer a home of state, and of what goes outside. Given by hosts that keep some: pages keep none, and do not
 * carry it either.
 */
import { Durable } from './durable/durable.ts'
import { BoundEffects } from './effects/bound.ts'
import { Gates } from './state/gate.ts'
import { StatefulCall } from './state/stateful-call.ts'

export const homeKit = { BoundEffects, Durable, Gates, StatefulCall }
export type HomeKit = typeof homeKit
