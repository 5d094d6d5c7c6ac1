/** The network of a peer that stays alone: nobody is in reach, and nothing heavy is imported. */
import { MeshError } from '../protocol/errors.ts'
import type { Network } from '../protocol/ports.ts'

const unreachable = async (what: string): Promise<never> => {
  throw new MeshError('E_UNREACHABLE', `${what} could not be reached: this peer is alone`)
}

export const solitaryNetwork = (peerId: string): Network => ({
  peerId,
  addresses: () => [],
  handle: () => {},
  start: async () => {},
  connect: (address) => unreachable(address),
  open: (peer) => unreachable(peer),
  disconnect: async () => {},
  stop: async () => {},
})
