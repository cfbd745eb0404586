"""What the made-up people hold in their hands: user agents, models, screens; and the robots. Data only."""

from __future__ import annotations

from typing import NamedTuple


class Model(NamedTuple):
    """One kind of device. `user_agent` is what its HTTP client says; sizes are CSS pixels."""

    platform: str
    weight: float
    name: str
    os: str
    os_version: str
    user_agent: str
    screen: tuple[int, int]
    viewport: tuple[int, int]


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_ANDROID = "Mozilla/5.0 (Linux; Android 10; K)"
_IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"

WEB: tuple[Model, ...] = (
    Model(
        "web",
        26,
        "PC",
        "Windows",
        "10",
        f"{_WINDOWS} {_WEBKIT} Chrome/141.0.0.0 Safari/537.36",
        (1920, 1080),
        (1903, 953),
    ),
    Model(
        "web",
        6,
        "PC",
        "Windows",
        "10",
        f"{_WINDOWS} {_WEBKIT} Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
        (1536, 864),
        (1519, 730),
    ),
    Model(
        "web",
        4,
        "PC",
        "Windows",
        "10",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:143.0) Gecko/20100101 Firefox/143.0",
        (2560, 1440),
        (2543, 1299),
    ),
    Model(
        "web", 11, "Mac", "macOS", "15", f"{_MAC} {_WEBKIT} Chrome/141.0.0.0 Safari/537.36", (1728, 1117), (1728, 992)
    ),
    Model(
        "web",
        8,
        "Mac",
        "macOS",
        "15",
        f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",
        (1440, 900),
        (1440, 789),
    ),
    Model(
        "web",
        2,
        "PC",
        "Linux",
        "",
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        (1920, 1200),
        (1905, 1062),
    ),
    Model(
        "web", 17, "iPhone", "iOS", "18.6", f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1", (393, 852), (393, 659)
    ),
    Model(
        "web",
        3,
        "iPhone",
        "iOS",
        "18.6",
        f"{_IPHONE} Mobile/15E148 [FBAN/FBIOS;FBAV/532.0.0.45.107;FBDV/iPhone15,4]",
        (393, 852),
        (393, 690),
    ),
    Model(
        "web",
        14,
        "Android",
        "Android",
        "10",
        f"{_ANDROID} {_WEBKIT} Chrome/141.0.0.0 Mobile Safari/537.36",
        (412, 915),
        (412, 785),
    ),
    Model(
        "web",
        4,
        "Samsung",
        "Android",
        "10",
        f"{_ANDROID} {_WEBKIT} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
        (360, 780),
        (360, 647),
    ),
    Model(
        "web",
        3,
        "iPad",
        "iPadOS",
        "18",
        f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
        (820, 1180),
        (820, 1106),
    ),
)

APPS: tuple[Model, ...] = (
    Model(
        "ios",
        10,
        "iPhone15,4",
        "iOS",
        "18.6",
        "Plotto/7.4.1 CFNetwork/3826.600.41 Darwin/24.6.0",
        (393, 852),
        (393, 852),
    ),
    Model(
        "ios",
        4,
        "iPad14,3",
        "iPadOS",
        "18.5",
        "Plotto/7.4.0 CFNetwork/3826.500.131 Darwin/24.5.0",
        (834, 1194),
        (834, 1194),
    ),
    Model(
        "android",
        8,
        "SM-S921B",
        "Android",
        "15",
        "Plotto/7.4.1 (Android 15; SM-S921B) okhttp/4.12.0",
        (360, 780),
        (360, 780),
    ),
    Model(
        "android",
        5,
        "Pixel 8",
        "Android",
        "16",
        "Plotto/7.3.9 (Android 16; Pixel 8) okhttp/4.12.0",
        (412, 915),
        (412, 915),
    ),
)

DESKTOPS: tuple[Model, ...] = (
    Model(
        "desktop",
        5,
        "PC",
        "Windows",
        "11",
        f"{_WINDOWS} {_WEBKIT} Plotto/3.2.0 Chrome/138.0.0.0 Electron/37.2.0 Safari/537.36",
        (1920, 1080),
        (1280, 800),
    ),
    Model(
        "desktop",
        4,
        "Mac",
        "macOS",
        "15.6",
        f"{_MAC} {_WEBKIT} Plotto/3.2.0 Chrome/138.0.0.0 Electron/37.2.0 Safari/537.36",
        (1728, 1117),
        (1280, 800),
    ),
)

SERVER = Model("server", 1, "", "Linux", "", "plotto-billing/2.18.0 event-assets-python/0.1.0", (0, 0), (0, 0))

ROBOTS: tuple[Model, ...] = (
    Model(
        "web",
        6,
        "bot",
        "",
        "",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        (1024, 768),
        (1024, 768),
    ),
    Model(
        "web",
        3,
        "bot",
        "",
        "",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        (1024, 768),
        (1024, 768),
    ),
    Model(
        "web",
        3,
        "bot",
        "",
        "",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        (1024, 768),
        (1024, 768),
    ),
    Model(
        "web",
        3,
        "bot",
        "",
        "",
        f"Mozilla/5.0 {_WEBKIT}; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        (1024, 768),
        (1024, 768),
    ),
    Model(
        "web",
        2,
        "bot",
        "Linux",
        "",
        f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} HeadlessChrome/139.0.0.0 Safari/537.36",
        (800, 600),
        (800, 600),
    ),
    Model("web", 1, "bot", "", "", "python-requests/2.32.4", (0, 0), (0, 0)),
)
