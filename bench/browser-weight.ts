/** What a page loads, as it is served, beside what is aimed at. */
import { WEIGHT_AIMS, type Weight, weightOfWeb } from '../scripts/web/weight.ts'

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const weight = await weightOfWeb()
  const aims: Partial<Weight> = WEIGHT_AIMS
  for (const [key, bytes] of Object.entries(weight)) {
    const aim = aims[key as keyof Weight]
    const beside = aim === undefined ? 'B, loaded when needed' : `B of ${aim.toLocaleString('en')}`
    print(`${key.padEnd(12)}${bytes.toLocaleString('en').padStart(9)} ${beside}`)
  }
  return weight
}
