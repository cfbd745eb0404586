/** The value of a JSON text; undefined where there is none, or it is damaged. */
export function parsed<T>(text: string | undefined): T | undefined {
  try {
    return JSON.parse(text!) ?? undefined;
  } catch {
    return undefined;
  }
}
