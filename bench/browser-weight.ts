/** What a page loads, as it is served, beside what is aimed at. */
import { WEIGHT_AIMS, type Weight, weightOfWeb } from '../scripts/web/weight.ts'

export const run = async (print: (line: string) => void): Promise<Record<string, number>> => {
  const weight = await weightOfWeb()
  for (const key of Object.keys(weight) as (keyof Weight)[])
    print(
      `${key.padEnd(12)}${weight[key].toLocaleString('en').padStart(9)} B of ${WEIGHT_AIMS[key].toLocaleString('en')}`,
    )
  return weight
}
