/** What an executor notes of its answers, once they are on their way: nobody waits for a note. */
import type { Ports } from '../protocol/ports.ts'
import type { ExecutorEvents } from './executor-parts.ts'
import type { Finished } from './outbox.ts'
import { soon } from './soon.ts'

export class AnswerNotes {
  readonly #ports: Pick<Ports, 'clock' | 'log'>
  readonly #events: ExecutorEvents
  #waiting: Finished[] = []

  constructor(ports: Pick<Ports, 'clock' | 'log'>, events: ExecutorEvents) {
    this.#ports = ports
    this.#events = events
  }

  /** Given as its answer is sent: after that has left, if it does not wait for others. */
  add(finished: Finished): void {
    if (this.#waiting.push(finished) === 1) soon(() => this.#note())
  }

  #note(): void {
    const answered = this.#waiting
    this.#waiting = []
    for (const { item, outcome, outcomeBytes } of answered) {
      this.#events.answered(item, outcome, outcomeBytes.length)
      this.#ports.log.event('task.answered', {
        task: item.task,
        peer: item.party,
        function: item.template.function,
        duration_ms: Math.round(this.#ports.clock.monotonic() - item.acceptedMs),
        fuel: outcome.fuel,
      })
    }
  }
}
