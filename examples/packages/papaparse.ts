/** papaparse: CSV with quotes, types and another separator. */
import Papa from 'papaparse'

export default function convert(csv: string) {
  const { data, errors, meta } = Papa.parse<Record<string, unknown>>(csv, {
    header: true,
    dynamicTyping: true,
    skipEmptyLines: true,
  })
  return {
    data,
    errors: errors.map(({ code, row }) => `${code} in row ${row}`),
    delimiter: meta.delimiter,
    out: Papa.unparse(data, { delimiter: ';', newline: '\n' }),
  }
}
