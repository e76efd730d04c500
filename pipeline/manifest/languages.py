"""What headers are called in other languages: the one table.

How headers are compared with it, `meanings` says. A name is among the sure ones only if it can mean
nothing else. A translation of a field's own name, such as Dauer, is also the name of other things:
it counts if the cells fit. What may mean several things (Länge, Format, Titel) is offered, never
taken.

A new name among the first two turns a user's own column into input. So a manifest that was run
before keeps its reading: `LATEST` grows with every change that reads more, and journals note it.
Tested in tests/manifest/test_meanings.py.
"""

from __future__ import annotations

EARLIEST, LATEST = 1, 2
"""Which names count: 1, those of the first versions alone; 2, these tables as well."""

PICTURE = {
    "en": "image, picture, photo, pic, img, product image, product photo",
    "de": "Bild, Foto, Produktbild, Produktfoto, Artikelbild, Bilddatei, Bildpfad, Bildlink,"
    "Bild-URL, Bildadresse, Foto-URL, Fotolink, Fotodatei",
    "fr": "image, photo, photo du produit, image du produit, image produit, photo produit,"
    "lien de l'image, lien image, URL de l'image, URL image, lien de la photo, lien photo,"
    "URL de la photo, URL photo, fichier image, fichier photo",
    "es": "imagen, foto, fotografía, imagen del producto, imagen producto, foto del producto,"
    "foto producto, URL de la imagen, URL imagen, enlace de imagen, enlace imagen, URL de la foto,"
    "archivo de imagen",
    "it": "immagine, foto, fotografia, immagine del prodotto, immagine prodotto, foto del prodotto,"
    "foto prodotto, URL dell'immagine, URL immagine, link immagine, file immagine, URL foto",
    "nl": "afbeelding, foto, productafbeelding, productfoto, afbeeldings-URL, afbeelding-URL,"
    "afbeeldingslink, link naar afbeelding, foto-URL",
    "pt": "imagem, foto, fotografia, imagem do produto, foto do produto, URL da imagem, URL imagem,"
    "link da imagem, link imagem, URL da foto, arquivo de imagem, ficheiro de imagem",
    "pl": "zdjęcie, obraz, obrazek, fotografia, zdjęcie produktu, obraz produktu, URL zdjęcia,"
    "adres zdjęcia, link do zdjęcia, adres obrazu, URL obrazu, plik zdjęcia",
    "zh": "图片, 图像, 照片, 相片, 商品图片, 产品图片, 商品图, 产品图, 图片链接, 图片地址,"
    "图片网址, 主图,"
    "圖片, 圖像, 商品圖片, 產品圖片, 商品圖, 產品圖, 圖片連結, 圖片網址, 主圖",
    "ja": "画像, 写真, 商品画像, 商品写真, 製品画像, 製品写真, 画像URL, 画像リンク, 写真URL,"
    "画像ファイル, イメージ画像",
}
PICTURES = {
    "en": "images, pictures, photos, product images, product photos",
    "de": "Bilder, Fotos, Produktbilder, Produktfotos, Artikelbilder, Bild-URLs, Bildlinks",
    "fr": "images, photos, photos du produit, images du produit, URL des images, liens des images",
    "es": "imágenes, fotos, fotografías, imágenes del producto, fotos del producto,"
    "URL de las imágenes",
    "it": "immagini, fotografie, immagini del prodotto, foto dei prodotti, URL delle immagini",
    "nl": "afbeeldingen, foto's, productafbeeldingen, productfoto's",
    "pt": "imagens, fotos, fotografias, imagens do produto, fotos do produto, URL das imagens",
    "pl": "zdjęcia, obrazy, obrazki, zdjęcia produktu, obrazy produktu, fotografie",
}  # Chinese and Japanese have no plural.
SECONDS = {
    "en": "s, sec, secs, second, seconds, in s, in sec, in seconds",
    "de": "Sek, Sekunde, Sekunden, in Sek, in Sekunden",
    "fr": "secondes, en secondes, en s",
    "es": "seg, segundos, en segundos, en s",
    "it": "secondi, in secondi",
    "nl": "seconden, in seconden",
    "pt": "seg, segundos, em segundos, em s",
    "pl": "sek, sekundy, w sekundach, w s",
    "zh": "秒, 秒数, 秒數, 单位秒, 單位秒",
    "ja": "秒, 秒数, 単位秒",
}
"""The unit, which may follow any name of a duration."""
SURE = {
    "key": {"en": "key, id, sku"},
    "prompt": {
        "en": "prompt, video prompt, prompt text",
        "de": "Videoprompt, Prompt-Text, Prompt für Video, Prompt fürs Video",
        "fr": "prompt vidéo, prompt de la vidéo, texte du prompt, invite vidéo",
        "es": "prompt de vídeo, prompt del vídeo, texto del prompt",
        "it": "prompt video, prompt del video, testo del prompt",
        "nl": "videoprompt, prompttekst, prompt voor video",
        "pt": "prompt de vídeo, prompt do vídeo, texto do prompt",
        "pl": "prompt wideo, prompt do wideo, prompt filmu, treść promptu",
        "zh": "提示词, 视频提示词, 提示詞, 影片提示詞, 視頻提示詞",
        "ja": "プロンプト, 動画プロンプト, 動画用プロンプト, ビデオプロンプト",
    },
    "duration": {
        "en": "duration, seconds, video duration, clip duration, video length, clip length",
        "de": "Videolänge, Videodauer, Länge des Videos, Dauer des Videos, Cliplänge, Clipdauer,"
        "Videolaufzeit, Filmlänge, Filmdauer, Länge in Sekunden, Dauer in Sekunden",
        "fr": "durée de la vidéo, durée vidéo, durée du clip, longueur de la vidéo,"
        "longueur vidéo, durée en secondes, durée du film",
        "es": "duración del vídeo, duración de vídeo, duración vídeo, duración del clip,"
        "longitud del vídeo, duración en segundos",
        "it": "durata del video, durata video, durata della clip, durata clip, lunghezza del video,"
        "lunghezza video, durata in secondi",
        "nl": "videoduur, videolengte, duur van de video, duur video, lengte van de video,"
        "clipduur, duur in seconden",
        "pt": "duração do vídeo, duração vídeo, duração do clipe, comprimento do vídeo,"
        "duração em segundos",
        "pl": "czas trwania filmu, czas trwania wideo, długość filmu, długość wideo,"
        "długość klipu, czas trwania klipu, czas trwania w sekundach",
        "zh": "视频时长, 视频长度, 视频秒数, 影片時長, 影片長度, 視頻時長, 影片秒數, 时长秒数",
        "ja": "動画の長さ, 動画長さ, 動画時間, 動画秒数, 動画の秒数, 動画の時間, ビデオの長さ,"
        "動画尺",
    },
    "aspect_ratio": {
        "en": "aspect ratio, aspect, ratio, video aspect ratio, video ratio",
        "de": "Seitenverhältnis des Videos, Video-Seitenverhältnis, Videoseitenverhältnis",
        "fr": "rapport d'aspect de la vidéo, ratio vidéo, format de l'image vidéo,"
        "rapport hauteur/largeur de la vidéo, ratio de la vidéo",
        "es": "relación de aspecto del vídeo, proporción del vídeo",
        "it": "proporzioni del video, rapporto d'aspetto del video, proporzioni video",
        "nl": "beeldverhouding van de video, beeldverhouding video",
        "pt": "proporção do vídeo, relação de aspecto do vídeo, proporção de tela do vídeo",
        "pl": "proporcje wideo, proporcje filmu, proporcje obrazu wideo",
        "zh": "视频比例, 视频宽高比, 画幅比例, 影片比例, 視頻比例, 影片長寬比",
        "ja": "動画のアスペクト比, 動画アスペクト比, 動画の縦横比, 動画比率",
    },
    "resolution": {
        "en": "resolution, video resolution",
        "de": "Videoauflösung, Auflösung des Videos",
        "fr": "résolution de la vidéo, résolution vidéo",
        "es": "resolución del vídeo, resolución de vídeo, resolución vídeo",
        "it": "risoluzione del video, risoluzione video",
        "nl": "videoresolutie, resolutie van de video, resolutie video",
        "pt": "resolução do vídeo, resolução de vídeo, resolução vídeo",
        "pl": "rozdzielczość wideo, rozdzielczość filmu",
        "zh": "视频分辨率, 视频清晰度, 影片解析度, 視頻解析度, 视频解析度",
        "ja": "動画の解像度, 動画解像度, ビデオ解像度",
    },
}
IF_CELLS_FIT = {
    "duration": {
        "de": "Dauer, Sekunden",
        "fr": "durée, secondes",
        "es": "duración, segundos",
        "it": "durata, secondi",
        "nl": "duur, seconden",
        "pt": "duração, segundos",
        "pl": "czas trwania, sekundy",
        "zh": "时长, 時長, 秒数, 秒數",
        "ja": "再生時間, 秒数",
    },
    "aspect_ratio": {
        "de": "Seitenverhältnis",
        "fr": "rapport d'aspect, ratio d'aspect, rapport hauteur/largeur, rapport largeur/hauteur",
        "es": "relación de aspecto, proporción de aspecto",
        "it": "proporzioni, rapporto d'aspetto, rapporto di aspetto",
        "nl": "beeldverhouding",
        "pt": "proporção da tela, proporção de tela, relação de aspecto, proporção da imagem",
        "pl": "proporcje obrazu, proporcje ekranu, współczynnik proporcji, proporcje",
        "zh": "宽高比, 长宽比, 纵横比, 画面比例, 寬高比, 長寬比, 縱橫比, 畫面比例",
        "ja": "アスペクト比, 縦横比, 画面比率, 画面比",
    },
    "resolution": {
        "de": "Auflösung",
        "fr": "résolution",
        "es": "resolución",
        "it": "risoluzione",
        "nl": "resolutie",
        "pt": "resolução",
        "pl": "rozdzielczość",
        "zh": "分辨率, 解析度",
        "ja": "解像度",
    },
    "key": {
        "de": "Artikelnummer, Artikel-Nr., Art.-Nr., Artikelnr., Produktnummer, Produkt-Nr.,"
        "Schlüssel, SKU-Nummer",
        "fr": "référence produit, référence du produit, référence article, réf. article,"
        "réf. produit, numéro d'article, code article, code produit",
        "es": "número de artículo, código de artículo, código del artículo, código de producto,"
        "código del producto, referencia del producto, referencia de producto",
        "it": "codice articolo, codice prodotto, numero articolo, numero di articolo",
        "nl": "artikelnummer, artikelnr., art.nr., artikelcode, productcode, productnummer",
        "pt": "código do produto, código do artigo, número do artigo, referência do produto",
        "pl": "numer artykułu, nr artykułu, numer produktu, kod produktu, indeks produktu",
        "zh": "货号, 商品编号, 产品编号, 商品编码, 产品编码, 商品货号, 貨號, 商品編號, 產品編號",
        "ja": "商品番号, 商品コード, 品番, 製品番号, 製品コード, 商品ID",
    },
}
OFFERED = {
    "prompt": {
        "en": "description, text, title, script, product description",
        "de": "Beschreibung, Produktbeschreibung, Text, Titel, Videotext, Anweisung, Skript",
        "fr": "description, texte, titre, consigne, instruction",
        "es": "descripción, texto, título, indicación, instrucción, guion",
        "it": "descrizione, testo, titolo, istruzione",
        "nl": "beschrijving, omschrijving, tekst, titel, opdracht",
        "pt": "descrição, texto, título, instrução, comando",
        "pl": "opis, tekst, tytuł, polecenie, opis produktu",
        "zh": "描述, 文案, 标题, 说明, 描述文字, 標題, 說明",
        "ja": "説明, 説明文, テキスト, タイトル, 指示文, 商品説明",
    },
    "duration": {
        "en": "length, time, runtime",
        "de": "Länge, Zeit, Laufzeit, Spieldauer",
        "fr": "longueur, temps",
        "es": "longitud, largo, tiempo",
        "it": "lunghezza, tempo",
        "nl": "lengte, tijd, looptijd",
        "pt": "comprimento, tempo",
        "pl": "długość, czas",
        "zh": "长度, 时间, 長度, 時間",
        "ja": "長さ, 時間, 尺",
    },
    "aspect_ratio": {
        "en": "format, frame, video format, orientation",
        "de": "Format, Bildformat, Videoformat, Verhältnis, Ausrichtung",
        "fr": "format, format d'image, format vidéo, orientation, proportion",
        "es": "formato, formato de vídeo, orientación, proporción",
        "it": "formato, formato video, orientamento, proporzione",
        "nl": "formaat, videoformaat, beeldformaat, verhouding, oriëntatie",
        "pt": "formato, formato do vídeo, orientação, proporção",
        "pl": "format, format obrazu, format wideo, orientacja",
        "zh": "格式, 比例, 画幅, 尺寸, 方向, 畫幅",
        "ja": "形式, 比率, フォーマット, 向き, サイズ",
    },
    "resolution": {
        "en": "quality, video quality, size",
        "de": "Qualität, Videoqualität",
        "fr": "qualité, définition, qualité vidéo",
        "es": "calidad, calidad de vídeo",
        "it": "qualità, definizione, qualità video",
        "nl": "kwaliteit, videokwaliteit",
        "pt": "qualidade, definição, qualidade do vídeo",
        "pl": "jakość, jakość wideo",
        "zh": "清晰度, 质量, 画质, 畫質",
        "ja": "画質, 品質",
    },
    "key": {
        "de": "Name, Titel, Produktname, Bezeichnung, Artikel, Nummer, Nr., Bestellnummer",
        "fr": "nom, titre, nom du produit, référence, réf., code, numéro",
        "es": "nombre, título, nombre del producto, referencia, código, número, clave",
        "it": "nome, titolo, nome del prodotto, codice, numero, chiave",
        "nl": "naam, titel, productnaam, nummer, referentie, sleutel",
        "pt": "nome, título, nome do produto, referência, código, número, chave",
        "pl": "nazwa, tytuł, nazwa produktu, kod, numer, indeks, klucz",
        "zh": "名称, 标题, 商品名称, 产品名称, 编号, 名稱, 標題, 編號, 型号",
        "ja": "名前, タイトル, 商品名, 名称, 番号, コード, 型番",
    },
}
"""Names that mean several things. English ones that name a row are the user's own business."""
