/* How charts write their numbers: as cards and tables do, by the locale that the server chose. */
window.dashMantineFunctions = {
  ...window.dashMantineFunctions,
  numberText: (value, {locale, ...options}) => new Intl.NumberFormat(locale, options).format(value),
};
