/** jsonata: a query over JSON. */
import jsonata from 'jsonata'

export default async function ask({ data, query }: { data: unknown; query: string }) {
  return JSON.parse(JSON.stringify(await jsonata(query).evaluate(data)))
}
