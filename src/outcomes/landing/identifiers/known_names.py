"""Given names and surnames that are frequent in some thirty countries, as their offices of statistics publish them.

Rare names are not here: a column of names is found by the frequent ones in it. Words that are names too, and stand in
pseudonyms (colours, months, the spelling alphabet), are kept apart.
"""

from __future__ import annotations

import unicodedata

_GIVEN_TEXT = """
    adam adrian ahmed aisha alan albert alejandro alex alexander alexandra alice alison amanda amelia amy ana andrea
    andreas andrew angela anja anna anne anthony anton antonio astrid barbara beatrice ben benjamin bernd birgit
    brian bruno camille carla carlos carmen caroline catherine charles charlotte chloe chris christian christina
    christine christopher claire clara claudia daniel daniela david deborah dennis diana diego dominic donald
    dorothy edward elena elisabeth elizabeth ella emily emma eric erik erika eva fatima felix fernando fiona florian
    francesca francesco frank franziska gabriel george georgia gerhard giulia giuseppe grace greta hannah hans harry
    heather heike helen helena henry ian ines ingrid isabel isabella jack jacob jakob james jan jane janet jason
    javier jean jennifer jessica joanna johan johannes john jonas jonathan jose joseph joshua juan judith julia
    julian julie jürgen karen karin karl karolina katarina kate katharina katherine kathleen kelly kenneth kevin
    klaus laura lauren lea lena leon leonie lewis liam lina linda lisa louis louise luca lucas lucia lucy luis luisa
    lukas magdalena manfred manuel marco margaret maria mariam marie mario mark markus marta martha martin martina
    mary matteo matthew matthias max maximilian megan mehmet melissa mia michael michelle miguel mohamed mohammed
    monica monika muhammad nadia natalie nathan nicholas nicole niklas nina noah nora oliver olivia omar oscar pablo
    patricia patrick paul paula pedro peter petra philip philipp pierre rachel rebecca renate ricardo richard robert
    rosa rose ruth ryan sabine samantha samuel sandra sara sarah sebastian simon sofia sophia sophie stefan stefanie
    stephanie stephen steven susan susanne sven sylvia tanja teresa theresa thomas tim timothy tobias tom ulrich
    ursula valentina vanessa vera veronica victor victoria walter werner william wolfgang yasmin yusuf zoe
"""
_MORE_GIVEN_TEXT = """
    abdul abraham agnes agnieszka agustin aino aleksander alessandro alessia alexis alfred ali alina amir amit
    anders andrzej angelika anil anita anjali ann annika antti aoife arjun arthur artur asha ashley august aurelie
    ayesha aylin ayse bart beata beatriz berta bettina bianca bjorn bogdan brenda bruce burak can carl carol
    carolina cem cemal charlie chiara chinedu christoph ciaran clement conor cristina cynthia daan dagmar danielle
    danuta daria david davide debra denise deniz dieter dietmar dimitri dirk dmitri donna dorota douglas eduardo
    ekaterina eleni elias elif elke ellen elsa emeka emil emilia emilie emine emre enrique erin esra esther eugene
    eva ewa fabian fatma federico felipe femke filip finn florence francisco franz frieda friedrich gabor gabriela
    gareth gary georg gerald gerard gianni gino giorgos giovanni gloria gonzalo graham gregory guillaume gunnar
    gustav hakan halina hanna harold hasan hassan heidi heinrich heinz helga henrik herbert holger horst hugo
    huseyin ibrahim igor ilse inga inge irena irene irina isla ivan jacqueline jakub jan-erik jana janina janusz
    jaroslav javier jeffrey jelena jens jeremy jerry jesus jiri joan joao joaquin jochen joel jorge josef josefa
    josh juha juhani jutta jörg jörn jürg kaisa kamil karsten katarzyna kathrin katja katrin kemal kirsten kjell
    kofi krzysztof kurt kwame larissa lars laszlo leila leo leonardo lisbeth lorenzo lothar louisa lucie ludwig
    luigi lukasz maja malgorzata marcel marcin margarethe margarita margot mariana marina marion marlene mats matti
    maureen mauro maxime mehdi merve mette michal michele mikael mikko milan milena mircea mohammad moritz murat
    mustafa nadine nancy nasrin natalia natasha nathalie neil ngozi niamh nicola nicolas niels nikolai nikos norbert
    olaf ole oleg olga oluwaseun orhan osman otto pamela paolo pascal patricia patrizia pauline pawel pekka per petr
    pieter pilar piotr priya rahul rainer raj rajesh ralf ramon raquel regina reinhard renata riccardo rita roberto
    rodrigo roger roland rolf roman ronald rosemarie rudolf rui sabrina sally salma samir sanjay sanna sanne
    santiago sasha saskia satu scott sean seda selin sergei sergio shirley sigrid silke silvia simone sinead siobhan
    slawomir sofie sonia sonja soren stanislaw stella stephan stuart sunita suzanne svetlana sylvie tamara tatiana
    tatjana terence thea theo thorsten tiago tiina tina tomas tomasz torsten tuomas ute uwe valerie vera viktor
    vincent virginia vladimir volker waltraud wanda wayne wendy werner wiebke wilhelm willem xavier yann yannick
    yara yusuf yvonne zeynep zofia zsuzsanna zuzana
"""
_SURNAMES_TEXT = """
    abubakar acar adams adeyemi aguilar ahmed alexander ali allen almeida alonso alvarez alves andersen anderson
    andersson arslan aydin bailey baker balogun barbosa barnes bauer baumann beck becker bell bennett berg berger
    bergmann bernard bianchi blanc bonnet brandt braun brooks bruno bruun bryant busch butler byrne böhm campbell
    cardoso carlsson carter carvalho castillo castro celik chen choi christensen clark clarke coleman collins
    colombo conti cook cooper costa cox cruz davies davis delgado demir diaz dietrich dijk doğan dubois dumitrescu
    dupont durand edwards eriksson esposito evans eze fernandes fernandez ferrari ferreira fischer fisher fontana
    foster fournier frank franke friedrich fuchs garcia garnier gil gomes gomez gonzales gonzalez graf greco gruber
    gupta gustafsson gutierrez günther haas hahn hall hamilton hansen hansson harris harrison hartmann hase
    heikkinen heinrich henderson hermann hernandez herrmann hill hofer hoffman hoffmann hofmann horn horvath howard
    huang huber hughes ivanov ivanova iyer jackson jankowski jansen jansson jenkins jensen jimenez johansen
    johansson johnson jones jovanovic jung jäger kaiser kaminski kaufmann kaya keller kelly kennedy kim klein koch
    kohler korhonen kovac kovacs kowalczyk kowalska kowalski kraus krause krawczyk kruger krämer krüger kuhn kumar
    kuznetsov köhler kühn laine lambert lang lange larsen larsson laurent lee lefebvre lehmann leroy lewandowski
    lewis lim lima lindberg liu lombardi long lopes lopez lorenz ludwig lukas maier makinen marin marino marques
    marshall martin martinez martins mayer mayr mccarthy mcdonald medina meier mendes mendez mendoza meyer miller
    mitchell molina moore morales moreau morel moreno moretti morgan morris moser munoz murphy murray myers mäkinen
    müller navarro nelson neumann newman nguyen nielsen niemi nieminen nilsson novak nowak nunes obrien okafor
    oliveira olsen olsson ortega ortiz osullivan ozturk pap papadopoulos park parker patel pavlov pedersen pereira
    perez persson peters petersen peterson petit petrov pham phillips pichler pinto popa popescu popov powell price
    ramirez ramos reddy reed reid reyes ribeiro ricci richter rivera roberts robinson rodrigues rodriguez rogers
    romano romero rossi roth rousseau roux rubio ruiz russell russo ryan sahin salazar sanchez sanders santos schmid
    schmidt schmitt schmitz schneider scholz schröder schubert schulte schultz schulz schulze schumacher schuster
    schwartz schwarz schäfer serrano sharma shevchenko silva simon simpson singh smirnov smith sokolov soto sousa
    souza stein steiner stevens stewart suarez sullivan svensson szabo tan taylor thomas thompson thomsen torres
    toth tran turner unger varga vargas vasquez vazquez vidal vincent virtanen vogel vogt voigt wagner walker walsh
    walter wang ward watson weber weiss welsh werner white wilson winkler winter wisniewski wojcik wolf wolff wood
    wright wu yang yildirim yilmaz young zhang zhao ziegler zimmermann
"""
_WORDS_TOO_TEXT = """
    alfa alpha amber april august autumn beta black blue brown can charlie delta echo faith fox frank graf gray
    green grey hahn hase hill hope horn iris ivy jasmine joy juliet june kaiser king long lucky mark mars max may
    mike oscar pap park pinto price robin romeo rose ruby sierra silver star sunny tan victor white winter wolf wood
    young
"""


def folded(word: str) -> str:
    """Write a word in plain small letters: `Müller` as `mueller`, `García` as `garcia`."""
    word = word.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ł", "l")
    return "".join(sign for sign in unicodedata.normalize("NFKD", word) if sign.isalnum()).replace("ı", "i")


def _all(text: str) -> frozenset[str]:
    return frozenset(folded(word) for word in text.split())


GIVEN_NAMES = _all(_GIVEN_TEXT) | _all(_MORE_GIVEN_TEXT)
SURNAMES = _all(_SURNAMES_TEXT)
WORDS_TOO = _all(_WORDS_TOO_TEXT)
