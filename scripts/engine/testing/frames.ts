/** The test that the recipe's table of native frames holds on a host. */
import { expect, test } from 'vitest'
import { measureOn, type ProbeHost } from '../measure.ts'
import { MARGIN, readNativeFrames } from '../native-frames.ts'

export const testFrames = (host: () => Promise<ProbeHost>): void => {
  test('no function of the engine has a native frame larger than it is taken for, as compiled first and after work', async () => {
    const table = readNativeFrames()
    const measured = await measureOn(await host(), [0, 40])
    expect(measured.size).toBeGreaterThan(1000)
    const larger = [...measured].filter(([name, bytes]) => bytes > MARGIN * (table.get(name) ?? 0))
    expect(larger).toEqual([])
  })
}
