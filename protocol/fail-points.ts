/** Named places behind the ports where a test can make the machine fail (WAYSIDE_FAIL_POINTS). */
import { type ErrorCode, MeshError } from './errors.ts'

/** The closed table of places, each with the code that its port fails with. */
export const FAIL_POINTS = {
  'storage.get': 'E_STORAGE',
  'storage.scan': 'E_STORAGE',
  'storage.write': 'E_STORAGE',
  'network.connect': 'E_UNREACHABLE',
  'network.open': 'E_UNREACHABLE',
  'channel.send': 'E_UNREACHABLE',
  'sandbox.spawn': 'E_INCONCLUSIVE',
  'sandbox.send': 'E_INCONCLUSIVE',
} as const satisfies Record<string, ErrorCode>

export type FailPointName = keyof typeof FAIL_POINTS

export interface FailPoints {
  /** Passed each time the place is reached. Throws MeshError if the plan says so, with the code of the table. */
  hit(name: FailPointName): void
}

export const NO_FAIL_POINTS: FailPoints = { hit() {} }

interface PlanItem {
  readonly name: FailPointName
  readonly action: 'throw' | 'exit'
  /** Counted from 1; undefined: every hit. */
  readonly atHit: number | undefined
}

const PLAN_ITEM = /^(?<name>[a-z.]+)=(?<action>throw|exit)(?:@(?<atHit>[1-9]\d{0,8}))?$/

const parseItem = (text: string): PlanItem => {
  const { name = '', action, atHit } = PLAN_ITEM.exec(text)?.groups ?? {}
  if (!Object.hasOwn(FAIL_POINTS, name)) {
    const names = Object.keys(FAIL_POINTS).join(', ')
    const message = `fail point "${text}": write NAME=throw or NAME=exit, with @N for the Nth hit only; NAME is one of ${names}`
    throw new MeshError('E_CONFIG', { message, item: text })
  }
  return {
    name: name as FailPointName,
    action: action as PlanItem['action'],
    atHit: atHit === undefined ? undefined : Number(atHit),
  }
}

/**
 * Fail points that act on `plan`, such as `storage.write=throw@3,sandbox.spawn=throw`; an empty plan does nothing.
 * `exit` is what the action of that name calls: it ends the process, as a crash would. Throws MeshError E_CONFIG.
 */
export const planFailPoints = (plan: string, exit: () => void): FailPoints => {
  if (plan === '') return NO_FAIL_POINTS
  const items = plan.split(',').map(parseItem)
  const hits = new Map<FailPointName, number>()
  return {
    hit(name) {
      const count = (hits.get(name) ?? 0) + 1
      hits.set(name, count)
      const due = items.find((item) => item.name === name && (item.atHit ?? count) === count)
      if (due?.action === 'exit') exit()
      else if (due) throw new MeshError(FAIL_POINTS[name], { message: `planned failure of ${name} at hit ${count}` })
    },
  }
}
