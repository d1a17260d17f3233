// The common emoji shortcodes. An unknown shortcode stays as it was typed.

const EMOJI = Object.fromEntries(
  `+1 👍|-1 👎|thumbsup 👍|thumbsdown 👎|white_check_mark ✅|heavy_check_mark ✔️|x ❌|warning ⚠️|rotating_light 🚨|bell 🔔|no_bell 🔕
mute 🔇|loudspeaker 📢|mega 📣|eyes 👀|mag 🔍|tada 🎉|fire 🔥|rocket 🚀|star ⭐|sparkles ✨|bulb 💡|memo 📝|pencil 📝|newspaper 📰
chart_with_upwards_trend 📈|chart_with_downwards_trend 📉|bar_chart 📊|arrow_up ⬆️|arrow_down ⬇️|arrow_right ➡️|arrow_left ⬅️
arrow_upper_right ↗️|arrow_lower_right ↘️|earth_asia 🌏|earth_africa 🌍|earth_americas 🌎|globe_with_meridians 🌐|flag-kh 🇰🇭|flag-us 🇺🇸
clock1 🕐|hourglass ⌛|hourglass_flowing_sand ⏳|stopwatch ⏱️|calendar 📅|lock 🔒|unlock 🔓|link 🔗|paperclip 📎|pushpin 📌
question ❓|exclamation ❗|information_source ℹ️|heart ❤️|smile 😄|slightly_smiling_face 🙂|wink 😉|thinking_face 🤔|joy 😂|cry 😢
wave 👋|clap 👏|pray 🙏|raised_hands 🙌|point_right 👉|point_left 👈|ok_hand 👌|muscle 💪|robot_face 🤖|bust_in_silhouette 👤
busts_in_silhouette 👥|speech_balloon 💬|zzz 💤|100 💯|red_circle 🔴|large_blue_circle 🔵|large_green_circle 🟢
large_yellow_circle 🟡|white_circle ⚪|black_circle ⚫|small_red_triangle 🔺|small_red_triangle_down 🔻`
    .split(/[|\n]/)
    .map((pair) => pair.split(" ")),
);

/** Return the character for a shortcode without its colons, or undefined. */
export function emoji(code) {
  return Object.hasOwn(EMOJI, code) ? EMOJI[code] : undefined;
}

/** Return plain text with its shortcodes replaced. */
export function withEmoji(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, code) => emoji(code) ?? whole);
}
