/** The test that a host passes on which functions with WebAssembly come out as they do on Node here. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CarriedProgram, CarriedRecord } from '../../testing/carried.ts'
import { type Host, nodeHost } from '../../testing/hosts.ts'
import { carriedPrograms } from './samples.ts'

const performOn = async (host: Host, programs: readonly CarriedProgram[]): Promise<CarriedRecord[][]> => {
  const all: CarriedRecord[][] = []
  for (const carried of programs) {
    const reply = await host.ask({ carried })
    all.push('carried' in reply ? reply.carried : [])
  }
  return all
}

export const testCarried = (title: string, open: readonly (() => Promise<Host>)[]): void => {
  describe(title, () => {
    let hosts: Host[] = []
    beforeAll(async () => {
      hosts = await Promise.all([nodeHost(), ...open.map((start) => start())])
    })
    afterAll(() => Promise.all(hosts.map((host) => host.close())))

    test('to the byte of outcome and memory', async () => {
      const programs = await carriedPrograms()
      const [wanted = [], ...others] = await Promise.all(hosts.map((host) => performOn(host, programs)))
      for (const records of wanted) {
        expect(records.filter(({ kind }) => kind !== 'outcome')).toEqual([])
        expect(records.slice(records.length / 2)).toEqual(records.slice(0, records.length / 2))
      }
      // Of both tiers, with several hashes.
      for (const i of [0, 2])
        expect(Math.max(...(wanted[i] ?? []).map(({ trace }) => JSON.parse(trace || '[]').length))).toBeGreaterThan(2)
      for (const found of others) expect(found).toEqual(wanted)
    })
  })
}
