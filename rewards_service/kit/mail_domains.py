"""Domains that anybody can have an address at: sharing one says nothing about two people (pure).

Kept by hand: the public mail providers with the most users by country, as the providers themselves
name their domains. It only keeps suggestions short and flags few; no money depends on it. Left out
are domains that companies use for themselves too.
"""

_FREE = frozenset(
    """
    126.com 139.com 163.com 189.cn aim.com alice.it aliyun.com aol.co.uk aol.com aol.de aol.fr
    aruba.it arcor.de att.net bell.net bellsouth.net bigpond.com bk.ru bluewin.ch bluemail.ch
    btinternet.com btopenworld.com bol.com.br centrum.cz charter.net club-internet.fr comcast.net
    cox.net daum.net duck.com earthlink.net eircom.net email.com email.cz email.it emailn.de
    fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de frontier.com gmail.com
    gmx.at gmx.ch gmx.com gmx.de gmx.fr gmx.net googlemail.com hanmail.net hey.com home.nl
    hotmail.be hotmail.co.uk hotmail.com hotmail.com.br hotmail.de hotmail.es hotmail.fr hotmail.it
    hotmail.nl hushmail.com icloud.com ig.com.br inbox.lv inbox.ru indiatimes.com interia.pl
    internode.on.net iol.pt juno.com kakao.com kpnmail.nl laposte.net libero.it list.ru live.ca
    live.co.uk live.com live.com.au live.de live.fr live.it live.nl luukku.com mac.com mail.bg
    mail.com mail.de mail.ee mail.ru mailbox.org mailfence.com me.com msn.com mweb.co.za naver.com
    neuf.fr nate.com netscape.net netzero.net ntlworld.com o2.pl onet.pl online.de online.no
    onmail.com op.pl optonline.net optusnet.com.au orange.fr outlook.at outlook.be outlook.co.uk
    outlook.com outlook.com.br outlook.de outlook.es outlook.fr outlook.it outlook.jp pm.me
    planet.nl posteo.de posteo.net proton.me protonmail.ch protonmail.com qq.com rambler.ru
    rediffmail.com rocketmail.com rogers.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.cn
    sina.com sky.com skynet.be sohu.com startmail.com sympatico.ca t-online.de talktalk.net
    telenet.be telia.com telus.net terra.com.br tin.it tiscali.co.uk tiscali.it tuta.com tuta.io
    tutanota.com tutanota.de ukr.net uol.com.br verizon.net virgilio.it virgin.net virginmedia.com
    vodafone.it volny.cz wanadoo.fr web.de wp.pl xs4all.nl xtra.co.nz yahoo.ca yahoo.co.id
    yahoo.co.in yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.ar yahoo.com.au yahoo.com.br
    yahoo.com.mx yahoo.com.sg yahoo.de yahoo.es yahoo.fr yahoo.in yahoo.it ya.ru yandex.com
    yandex.ru yeah.net ymail.com zoho.com ziggo.nl zonnet.nl
    """.split()  # noqa: SIM905
)


def domain_of(key: str | None) -> str | None:
    """The domain of an e-mail key; None without one."""
    _, at, domain = (key or "").rpartition("@")
    return domain if at and domain else None


def own_domain(key: str | None) -> str | None:
    """The domain of an e-mail key, unless anybody can have an address there."""
    domain = domain_of(key)
    return None if domain in _FREE else domain
