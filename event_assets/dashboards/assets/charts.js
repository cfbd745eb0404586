/* How charts write their numbers: as cards and tables do, by the locale that the server chose. */
window.dashMantineFunctions = {
  ...window.dashMantineFunctions,
  /* An axis says the place of its tick, too, before the options; it would part a number from its unit at a space. */
  numberText: (value, ...more) => {
    const {locale, ...options} = more.at(-2);
    return new Intl.NumberFormat(locale, options).format(value).replaceAll(" ", "\u00a0");
  },
};
