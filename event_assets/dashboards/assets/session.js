/* A session that ended leads to the sign-in, and not to a page that no longer answers. */
const ask = window.fetch;
window.fetch = async (...asked) => {
  const answer = await ask(...asked);
  if (answer.status === 401) window.location.reload();
  return answer;
};
