/** What adversaries hear from friends at other peers: outcomes before anybody should have shown them, and all that was signed. */
import type { SignedBatch } from '../protocol/envelope.ts'
import type { Ports, SandboxHost, SandboxProcess } from '../protocol/ports.ts'
import { type Command, decodeCommands, encodeFrame, type RunRecord } from '../sandbox/frames.ts'
import { decodeReports } from '../sandbox/reports.ts'
import { withFrames } from './channels.ts'

export interface Signed {
  by: string
  batch: SignedBatch
}

const SIGNED = ['invoke', 'tied', 'receipts', 'heads'] as const

const nameOf = (exportName: string, input: Uint8Array): string => `${exportName} ${input.join()}`

/** One friend at each peer. */
export class Overheard {
  readonly #outcomes = new Map<string, Uint8Array>()
  #newest: Uint8Array | undefined
  readonly invocations: Signed[] = []
  readonly receipts: Signed[] = []
  readonly heads: Signed[] = []

  /** `ports`, whose peer is listened to. */
  over(ports: Ports): Ports {
    const by = ports.network.peerId
    return withFrames(ports, {
      sent: (frame) => {
        const { t } = frame
        if (SIGNED.includes(t as 'invoke')) {
          const kept = t === 'receipts' || t === 'heads' ? this[t] : this.invocations
          kept.push({ by, batch: (frame as Extract<typeof frame, { signed: SignedBatch }>).signed })
        }
        return [frame]
      },
    })
  }

  /** `host`, of whose runs the outcomes are heard as they come. */
  at(host: SandboxHost): SandboxHost {
    return {
      spawn: (engine) => {
        const process = host.spawn(engine)
        const names = new Map<number, string>()
        return {
          ...around(process),
          send: (frame) => {
            for (const command of decodeCommands(frame))
              if (command[0] === 'runs') for (const [id, input] of command[7]) names.set(id, nameOf(command[2], input))
            process.send(frame)
          },
          receive: ({ frame: receive, exited }) =>
            process.receive({
              exited,
              frame: (frame) => {
                for (const report of decodeReports(frame))
                  if (report[0] === 'done') this.#heard(names.get(report[1]) as string, report[2])
                receive(frame)
              },
            }),
        }
      },
    }
  }

  /** A host that runs nothing of which it has heard an outcome; nor what is new to it, if it has heard any other outcome. */
  copying(host: SandboxHost): SandboxHost {
    return {
      spawn: (engine) => {
        const process = host.spawn(engine)
        let tell: (frame: Uint8Array) => void = () => {}
        const copied = ([id, input]: RunRecord, exportName: string): boolean => {
          const outcome = this.#outcomes.get(nameOf(exportName, input)) ?? this.#newest
          if (outcome) queueMicrotask(() => tell(encodeFrame([['done', id, outcome, 0]])))
          return outcome !== undefined
        }
        const left = (command: Command): Command[] => {
          if (command[0] !== 'runs') return [command]
          const [kind, functionId, name, effects, fuel, memory, output, runs, owner] = command
          const own = runs.filter((run) => !copied(run, name))
          return own.length > 0 ? [[kind, functionId, name, effects, fuel, memory, output, own, owner]] : []
        }
        return {
          ...around(process),
          send: (frame) => process.send(encodeFrame(decodeCommands(frame).flatMap(left))),
          receive: (handlers) => {
            tell = handlers.frame
            process.receive(handlers)
          },
        }
      },
    }
  }

  #heard(name: string, outcome: Uint8Array): void {
    this.#outcomes.set(name, outcome)
    this.#newest = outcome
  }
}

const around = (process: SandboxProcess) => ({
  ...(process.engines && { engines: process.engines }),
  kill: () => process.kill(),
})

/** `ports` of a peer that now and then shows receipts of somebody else in place of its own. */
export const withCopiedReceipts = (ports: Ports, overheard: Overheard, isDue: () => boolean): Ports =>
  withFrames(ports, {
    sent: (frame) => {
      if (frame.t !== 'receipts' || !isDue()) return [frame]
      const count = frame.signed.payloads.length
      const other = overheard.receipts.findLast(
        ({ by, batch }) => by !== ports.network.peerId && batch.payloads.length === count,
      )
      return [other ? { ...frame, signed: other.batch } : frame]
    },
  })
