/** A trial with real peers over TCP on loopback, in processes of which each holds several. */
import type { ChildProcess } from 'node:child_process'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { countsTogether } from '../simulations/message-counts.ts'
import { countedSpan, quantilesOf, settingOf, type Trial, type Tried } from '../simulations/trial.ts'
import { median } from './measure.ts'
import type { MeshOrder, MeshPart, PartReport } from './mesh-process.ts'
import { ask, start, stop } from './processes.ts'

export interface RealTried extends Tried {
  /** Answers that are not what the function gives, or none. */
  wrong: number
  /** Of all that the machine could compute while counted jobs arrived: what it did, and what of it these processes. */
  machineShare: number
  meshShare: number
  /** Of a peer. */
  neighbours: number
  /** What a message takes beside the distance, ms. */
  hopMs: number
}

/** For the orders to arrive, and the function to be there. */
const BEFORE_MS = 500

const tell = <T>(child: ChildProcess, order: MeshOrder): Promise<T> => ask<T>(child, JSON.stringify(order))

/** Since the machine was started, of all its cores together. */
const machineMs = (): { busy: number; all: number } => {
  const times = cpus().map(({ times }) => times)
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0)
  return { busy: all - times.reduce((sum, { idle }) => sum + idle, 0), all }
}

/** Between two instants, in parts of all that it could have. */
const machineShareBetween = async (beginMs: number, endMs: number): Promise<number> => {
  await sleep(beginMs - Date.now())
  const before = machineMs()
  await sleep(endMs - Date.now())
  const after = machineMs()
  return (after.busy - before.busy) / (after.all - before.all)
}

const performIn = async (children: readonly ChildProcess[], trial: Trial): Promise<RealTried> => {
  const setting = settingOf(trial)
  const { arrivals } = setting
  const { fromMs, toMs } = countedSpan(setting)
  const beginMs = Date.now() + BEFORE_MS
  const busy = machineShareBetween(beginMs + fromMs, beginMs + toMs)
  const reports = await Promise.all(children.map((child) => tell<PartReport>(child, { beginMs })))
  const took = new Map(reports.flatMap((one) => one.took.map(({ id, ms }) => [id, ms])))
  return {
    took: quantilesOf(arrivals.slice(trial.firstJobs).map(({ id }) => took.get(id) as number)),
    sent: countsTogether(reports.map(({ sent }) => sent)),
    wrong: reports.reduce((sum, one) => sum + one.wrong, 0),
    machineShare: await busy,
    meshShare: reports.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / ((toMs - fromMs) * cpus().length),
    neighbours: median(reports.flatMap(({ neighbours }) => neighbours)),
    hopMs: median(reports.flatMap(({ hopMs }) => hopMs)),
  }
}

export const tryOnLoopback = async (trial: Trial, processes: number): Promise<RealTried> => {
  const firstOf = (k: number) => Math.round((k * trial.peers) / processes)
  const parts = Array.from({ length: processes }, (_, k): MeshPart => ({ trial, from: firstOf(k), to: firstOf(k + 1) }))
  const started = await Promise.all(parts.map((part) => start<string>('./mesh-process.ts', [JSON.stringify(part)])))
  const children = started.map(({ child }) => child)
  try {
    const order = { join: started[0]?.ready as string, startMs: Date.now() }
    await Promise.all(children.map((child) => tell(child, order)))
    await sleep(trial.settlingMs)
    return await performIn(children, trial)
  } finally {
    await Promise.all(children.map(stop))
  }
}
