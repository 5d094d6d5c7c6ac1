/** How an executor goes on from a checkpoint, and says where its runs are at rest. A host that has none of it replays. */
import type { Ports } from '../protocol/ports.ts'
import type { BlockExchange } from '../registry/block-exchange.ts'
import { checkpointOf, fetchCheckpoint } from './checkpoints.ts'
import type { RunRequest } from './runner.ts'
import type { WorkItem } from './work.ts'

export class Resuming {
  readonly #crypto: Ports['crypto']
  readonly #exchange: Pick<BlockExchange, 'fetch'>

  constructor({ crypto }: Pick<Ports, 'crypto'>, exchange: Pick<BlockExchange, 'fetch'>) {
    this.#crypto = crypto
    this.#exchange = exchange
  }

  /** Calls `begin` once the checkpoint that came with the item is here, or cannot be had. False: none came. */
  begins(item: WorkItem, begin: () => void): boolean {
    if (!item.at) return false
    fetchCheckpoint((cid) => this.#exchange.fetch(cid, [item.neighbour.peer]), item.at).then((found) => {
      item.checkpoint = found
      begin()
    })
    return true
  }

  of(item: WorkItem): Pick<RunRequest, 'from' | 'onRest'> {
    return {
      from: () => item.checkpoint,
      onRest: (answers, bytes) => {
        if (item.ended) return
        const checkpoint = checkpointOf(this.#crypto, answers, bytes)
        item.neighbour.link.send({ t: 'rested', id: item.id, checkpoint })
      },
    }
  }
}
